#!/bin/bash
# Stop the sshd of STATE_DIR (its listener and the sessions it forked), by pid.
# usage: sshd-down.sh STATE_DIR [--purge]
dir=$(cd "${1:?state dir}" 2>/dev/null && pwd -P) || exit 0
if p=$(cat "$dir/sshd.pid" 2>/dev/null); then
  case $(cat "/proc/$p/comm" 2>/dev/null) in
    *sshd*) kill "$p" $(cat "/proc/$p/task/$p/children" 2>/dev/null) 2>/dev/null ;;
  esac
  rm -f "$dir/sshd.pid"
fi
[ "${2:-}" = --purge ] && rm -rf "$dir"
exit 0
