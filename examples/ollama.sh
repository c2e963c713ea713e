#!/bin/bash
#SBATCH --job-name=ollama
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=00:30:00
# Ollama also runs without a graphics card, only slowly. With one:
##SBATCH --gres=gpu:1
#
# Starts an Ollama server for this one job and asks it the prompt on stdin. The
# answer is printed token by token.
#
#     MODEL=llama3.2            which model
#     OLLAMA_MODELS=/scratch/…  where model files are kept
#     TINY_LM_DIR=…/examples    where tiny_lm.ts is
#
# Ollama asks for no key, so while the job runs, other users who are logged in
# on the same node can reach the server too. Where that matters, ask for a
# whole node (--exclusive) or take vllm.sh.
set -euo pipefail

# Adapt to your cluster:
#   module load ollama deno

model=${MODEL:-llama3.2}
dir=${TINY_LM_DIR:-$PWD/examples}
log=$(mktemp "${TMPDIR:-/tmp}/ollama.XXXXXX")

if [[ ! -f $dir/tiny_lm.ts ]]; then
  echo "ollama.sh: cannot find $dir/tiny_lm.ts; set TINY_LM_DIR to its folder" >&2
  exit 1
fi

# Another user's Ollama may already hold the usual port, 11434, on this node.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export OLLAMA_HOST=127.0.0.1:$port
# Clusters often set a proxy; a request to this node must not go there.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

# stdin is the prompt and stdout is the answer: the server gets neither.
ollama serve </dev/null >"$log" 2>&1 &
server=$!

stop() {
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  rm -f "$log"
}
trap stop EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

fail() {
  echo "ollama.sh: $1; the end of its log:" >&2
  tail -n 20 "$log" >&2
  exit 1
}

until curl --silent --fail --max-time 5 --output /dev/null \
  "http://$OLLAMA_HOST/api/version" </dev/null; do
  kill -0 "$server" 2>/dev/null || fail "Ollama ended while it was starting"
  ((SECONDS < 60)) || fail "Ollama was not ready after 60 s"
  sleep 1
done
kill -0 "$server" 2>/dev/null || fail "Ollama ended while it was starting"

# Fetch the model only if it is not there: many nodes have no network.
if ! ollama show "$model" </dev/null >>"$log" 2>&1; then
  echo "ollama.sh: fetching $model" >&2
  ollama pull "$model" </dev/null >>"$log" 2>&1 || fail "cannot fetch $model"
fi

# In the background and waited for, so that a signal is acted on at once: bash
# runs a trap only after a foreground program has ended.
deno run -A "$dir/tiny_lm.ts" \
  --upstream "http://$OLLAMA_HOST/v1" --model "$model" "$@" <&0 &
wait $!
