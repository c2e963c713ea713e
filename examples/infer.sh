#!/bin/bash
#SBATCH --job-name=infer
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=1G
#SBATCH --time=00:10:00
# On a cluster with graphics cards you would add, for example:
##SBATCH --partition=gpu
##SBATCH --gres=gpu:1
#
# An ordinary job script: the prompt comes on stdin, and what is printed is the
# answer. Nothing in it knows of streamrelay, and it runs by hand as well:
#
#     echo "Tell me about rivers" | bash examples/infer.sh
#
# Messages go to stderr, because stdout is the answer.
set -euo pipefail

# What the program needs on your cluster, for example:
#   module load cuda/12.4 deno
#   source "$HOME/miniforge3/etc/profile.d/conda.sh"
#   conda activate llm

# A scheduler runs a copy of this script from a folder of its own, so the
# program is looked for from where the job was submitted, and not beside $0.
find_examples() {
  local dir
  for dir in "${TINY_LM_DIR:-}" "$PWD/examples" "$PWD" \
    "${SLURM_SUBMIT_DIR:-$PWD}/examples" "${SLURM_SUBMIT_DIR:-$PWD}" \
    "$(dirname -- "${BASH_SOURCE[0]}")"; do
    if [[ -n $dir && -f $dir/tiny_lm.ts ]]; then
      printf '%s\n' "$dir"
      return
    fi
  done
  echo "infer.sh: cannot find tiny_lm.ts; set TINY_LM_DIR to its folder" >&2
  return 1
}
dir=$(find_examples)

# Replace this line by your own program: anything that reads a prompt on stdin
# and prints text as it makes it. A Python program should flush each token:
# print(token, end="", flush=True).
# `exec` lets a signal from the scheduler reach the program and not a shell.
if command -v deno >/dev/null; then
  exec deno run -A "$dir/tiny_lm.ts" "$@"
else
  exec node --experimental-strip-types --no-warnings "$dir/tiny_lm.ts" "$@"
fi
