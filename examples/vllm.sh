#!/bin/bash
#SBATCH --job-name=vllm
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=64G
#SBATCH --gres=gpu:1
#SBATCH --time=01:00:00
#
# Starts a vLLM server for this one job, waits until the model is loaded, and
# asks it the prompt on stdin. The answer is printed token by token.
#
#     MODEL=Qwen/Qwen2.5-7B-Instruct   which model (or a folder with its files)
#     VLLM_ARGS="--max-model-len 8192" further options of `vllm serve`
#     LOAD_SECONDS=1200                how long loading may take
#     TINY_LM_DIR=…/examples           where tiny_lm.ts is
set -euo pipefail

# Adapt to your cluster:
#   module load cuda/12.4 deno
#   source "$HOME/miniforge3/etc/profile.d/conda.sh"
#   conda activate vllm
#   export HF_HOME=/scratch/shared/huggingface   # where the model files are
#   export HF_HUB_OFFLINE=1                      # nodes without a network

model=${MODEL:-Qwen/Qwen2.5-7B-Instruct}
load_seconds=${LOAD_SECONDS:-1200}
dir=${TINY_LM_DIR:-$PWD/examples}
log=$(mktemp "${TMPDIR:-/tmp}/vllm.XXXXXX")

if [[ ! -f $dir/tiny_lm.ts ]]; then
  echo "vllm.sh: cannot find $dir/tiny_lm.ts; set TINY_LM_DIR to its folder" >&2
  exit 1
fi

# Other jobs may run on this node: a port that is free now, and a key, because
# everybody on the node can reach its loopback address. The key travels in the
# environment; an argument list can be read by all.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
VLLM_API_KEY=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
export VLLM_API_KEY

# stdin is the prompt and stdout is the answer: the server gets neither.
# shellcheck disable=SC2086 # VLLM_ARGS is meant to be split
vllm serve "$model" --host 127.0.0.1 --port "$port" ${VLLM_ARGS:-} \
  </dev/null >"$log" 2>&1 &
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
  echo "vllm.sh: $1; the end of its log:" >&2
  tail -n 20 "$log" >&2
  exit 1
}

echo "vllm.sh: loading $model on $(hostname)" >&2
until curl --silent --fail --noproxy '*' --max-time 5 --output /dev/null \
  "http://127.0.0.1:$port/health" </dev/null; do
  kill -0 "$server" 2>/dev/null || fail "vLLM ended while it was loading"
  ((SECONDS < load_seconds)) || fail "vLLM was not ready after $load_seconds s"
  sleep 1
done
# Somebody else's server could have answered on our port after ours had failed.
kill -0 "$server" 2>/dev/null || fail "vLLM ended while it was loading"

# Clusters often set a proxy; a request to this node must not go there.
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1
# In the background and waited for, so that a signal is acted on at once: bash
# runs a trap only after a foreground program has ended.
OPENAI_API_KEY=$VLLM_API_KEY deno run -A "$dir/tiny_lm.ts" \
  --upstream "http://127.0.0.1:$port/v1" --model "$model" "$@" <&0 &
wait $!
