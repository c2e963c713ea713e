#!/bin/bash
# Stop what slurm-up.sh and slurm-acct-up.sh started under STATE_DIR, by its pid files only.
# usage: slurm-down.sh STATE_DIR [--purge]
set -u
dir=$(cd "${1:?state dir}" 2>/dev/null && pwd -P) || exit 0
export SLURM_CONF=$dir/slurm.conf PATH=$PATH:/usr/sbin
is() { [ -s "$1" ] && [ "$(cat "/proc/$(cat "$1")/comm" 2>/dev/null)" = "$2" ]; }
# not slurmd*.pid: slurmdbd's is none of them
slurmds=("$dir"/run/slurmd.pid "$dir"/run/slurmd.node*.pid)
has_slurmd() { # without one nobody ends a job
  local file
  for file in "${slurmds[@]}"; do is "$file" slurmd && return; done
  return 1; }
stop() { # pidfile comm
  is "$1" "$2" || { rm -f "$1"; return 0; }
  local p; p=$(cat "$1"); kill "$p"; for _ in $(seq 100); do
    # a zombie counts as gone: some containers' init reaps late
    case $(sed -n 's/^State:[[:space:]]*//p' "/proc/$p/status" 2>/dev/null) in ''|Z*) rm -f "$1"; return 0;; esac; sleep 0.05; done
  kill -9 "$p"; }
# a job's slurmstepd outlives slurmd, so end the jobs first
if is "$dir/run/slurmctld.pid" slurmctld; then
  # a hundred of them take their time where there is little of it
  timeout 60 squeue -h -o %A 2>/dev/null | sort -u | xargs -r timeout 60 scancel 2>/dev/null
  for _ in $(seq 600); do
    [ -n "$(timeout 60 squeue -h -t R,CG -o %A 2>/dev/null)" ] && has_slurmd || break
    sleep 0.1
  done
fi
for file in "${slurmds[@]}"; do stop "$file" slurmd; done
stop "$dir/run/slurmctld.pid" slurmctld
stop "$dir/run/slurmdbd.pid" slurmdbd
stop "$dir/run/db/m.pid" mariadbd
stop "$dir/run/munged.pid" munged
[ "${2:-}" = --purge ] && rm -rf "$dir"
exit 0
