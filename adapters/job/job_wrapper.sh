# The part of streamrelay that runs inside the job: it readies the program, runs it, hands what it
# prints to a producer, and tells how it ended. Needs bash >= 4.2 and coreutils.
# Length: a job script is one file, and its parts share traps, process ids and pipes.

sr_say() { printf 'streamrelay: %s\n' "$*" >&2; }

# Runs a command with what a producer needs to know; token and key stay out of every argument list.
sr_with_channel() {
  STREAMRELAY_URL=$sr_url STREAMRELAY_CHANNEL=$sr_channel STREAMRELAY_TOKEN=$sr_token STREAMRELAY_KEY=$sr_key \
    STREAMRELAY_SPOOL=$sr_spool STREAMRELAY_LOOK=$sr_look STREAMRELAY_HEARTBEAT=$sr_heartbeat STREAMRELAY_GIVE_UP=$sr_give_up \
    STREAMRELAY_KILL_AFTER=$sr_kill_after STREAMRELAY_DRAIN=$sr_drain STREAMRELAY_HINT=$sr_hint \
    "$@"
}

sr_make_folder() {
  local base
  for base in "${TMPDIR:-/tmp}" /tmp; do
    sr_dir=$(mktemp -d "$base/streamrelay.XXXXXXXX" 2>/dev/null) && chmod 700 "$sr_dir" && return
  done
  sr_say "no private folder could be made under ${TMPDIR:-/tmp}; is it full or not writable?"
  exit 1
}

sr_read_credentials() {
  [ -n "$sr_credentials" ] || return 0
  # shellcheck disable=SC1090
  if [ -r "$sr_credentials" ]; then . "$sr_credentials"; fi
  sr_token=${STREAMRELAY_TOKEN:-} sr_key=${STREAMRELAY_KEY:-}
  unset STREAMRELAY_TOKEN STREAMRELAY_KEY
  if [ -n "$sr_token" ] || { [ -n "$sr_spool" ] && [ -n "$sr_key" ]; }; then return; fi
  sr_say "the credentials file $sr_credentials is missing or holds no token; this host must be able to read it"
  exit 88
}

# In a job array each task has a channel of its own, named by its index.
sr_find_task() {
  [ -n "$sr_array" ] || return 0
  sr_task=${SLURM_ARRAY_TASK_ID:-${PBS_ARRAY_INDEX:-}}
  if [ -z "$sr_task" ]; then
    sr_say "this job was submitted as an array, but its scheduler tells no task (SLURM_ARRAY_TASK_ID, PBS_ARRAY_INDEX)"
    exit 1
  fi
  sr_channel=$sr_array-$sr_task
  # SLURM_JOB_ID is another one than people and scancel know the task by
  if [ -n "${SLURM_ARRAY_JOB_ID:-}" ]; then export STREAMRELAY_JOB_ID=${SLURM_ARRAY_JOB_ID}_$sr_task; fi
}

# A task's key is made out of the array's by the producer: bash can't.
sr_take_task_key() {
  local key
  if [ -z "$sr_array" ] || [ -z "$sr_key" ] || [ -n "$sr_task_key" ]; then return 0; fi
  if key=$(sr_with_channel "${sr_tool[@]}" task-key "$sr_array" "$sr_task" </dev/null) && [ ${#key} = 64 ]; then
    sr_key=$key sr_task_key=1
    return
  fi
  sr_tool=()
  sr_say "the producer can't make the key of this task of a job array, expected one of this release"
  return 1
}

# What a script starts with srun is told that only its first task has the channel: of two that write to
# it the later one would drive out the other. Slurm runs a file before each task, which has to be there
# on every node.
sr_keep_first_task() {
  [ -n "$sr_script" ] && [ -n "${SLURM_JOB_ID:-}" ] || return 0
  local file=$sr_dir/task_prolog there=/tmp/streamrelay-task-prolog.$SLURM_JOB_ID
  {
    echo '#!/bin/sh'
    # the one that was there before; its words are for the task, too
    if [ -n "${SLURM_TASK_PROLOG:-}" ]; then printf '[ ! -x %q ] || %q\n' "$SLURM_TASK_PROLOG" "$SLURM_TASK_PROLOG"; fi
    cat <<'PROLOG'
[ "${SLURM_PROCID:-0}" = 0 ] && exit
echo "export STREAMRELAY_TOKEN=task-$SLURM_PROCID"
echo "export RELAY_SECRET=task-$SLURM_PROCID"
echo "unset STREAMRELAY_KEY"
PROLOG
  } >"$file"
  chmod 700 "$file"
  if [ "${SLURM_JOB_NUM_NODES:-1}" != 1 ]; then
    if ! sbcast --force --preserve "$file" "$there"; then
      sr_say "the nodes could not be told that only the first task has the channel; expected sbcast to reach $there"
      return
    fi
    sr_everywhere=$there file=$there
  fi
  export SLURM_TASK_PROLOG=$file
}

# Removes what was put on every node.
sr_clean_nodes() {
  [ -n "$sr_everywhere" ] || return 0
  local file=$sr_everywhere
  sr_everywhere=
  unset SLURM_TASK_PROLOG
  # a job that is being ended starts nothing more
  if [ -n "$sr_stopped" ]; then rm -f "$file" && return; fi
  timeout 20 srun --overlap --quiet "--nodes=$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 rm -f "$file" </dev/null >/dev/null 2>&1 ||
    rm -f "$file"
}

# What deno and node have to be told so that they trust the certificates that this site's other programs
# trust, and so that node heeds http_proxy and https_proxy.
sr_find_trust() {
  local bundle=${SSL_CERT_FILE:-${CURL_CA_BUNDLE:-${REQUESTS_CA_BUNDLE:-}}} name own
  sr_trust=(NODE_USE_ENV_PROXY=1)
  if [ -f "$bundle" ] && [ -r "$bundle" ]; then
    # a compiled deno knows no DENO_CERT, but the system's store, which is where SSL_CERT_FILE says
    for name in DENO_CERT NODE_EXTRA_CA_CERTS; do
      own=${!name:-$bundle}
      if [ "$own" != "$bundle" ] && { cat "$own" && echo && cat "$bundle"; } >"$sr_dir/$name" 2>/dev/null; then
        sr_trust+=("$name=$sr_dir/$name")
      else
        sr_trust+=("$name=$bundle")
      fi
    done
    sr_trust+=("DENO_TLS_CA_STORE=${DENO_TLS_CA_STORE:-mozilla,system}" "SSL_CERT_FILE=$bundle")
  fi
}

# A producer is usable when it can be started here and says so itself.
sr_usable() {
  local limit=()
  if command -v timeout >/dev/null; then limit=(timeout 30); fi
  sr_with_channel "${limit[@]}" "${sr_tool[@]}" check </dev/null >/dev/null 2>&1
}

# Where no relay can be reached, the folder that the executor follows has to be seen from here.
sr_find_spool() {
  [ -n "$sr_spool" ] && [ ! -d "$sr_spool" ] || return 0
  sr_say "the spool $sr_spool is not there: the stream was ended, or $(uname -n) does not share that folder; nothing was run"
  exit 89
}

# Sets sr_tool to what runs a producer of a kind.
sr_set_tool() { # kind, file or program
  case $1 in
    deno)
      sr_tool=(env "${sr_trust[@]}" "DENO_DIR=$sr_dir/deno" DENO_NO_UPDATE_CHECK=1 deno run -A --quiet --no-config "$2")
      ;;
    node) sr_tool=(env "${sr_trust[@]}" NODE_NO_WARNINGS=1 node "$2") ;;
    python3) sr_tool=(python3 -E -s "$2") ;;
    curl) sr_tool=(bash "$2") ;;
    *) sr_tool=(env "${sr_trust[@]}" "$2") ;;
  esac
}

# Sets sr_tool to the producer that was named: a program, or the bundle, which deno or node runs.
sr_named_producer() {
  local kind kinds=(program)
  case $sr_producer_path in *.js | *.mjs) kinds=(deno node) ;; esac
  for kind in "${kinds[@]}"; do
    [ "$kind" = program ] || command -v "$kind" >/dev/null || continue
    sr_set_tool "$kind" "$sr_producer_path"
    sr_usable && return
  done
  sr_tool=()
  return 1
}

# Sets sr_tool to the producer of a kind. Fails where the program isn't there.
sr_carried_producer() { # kind
  local file
  # a spool needs no curl
  [ "$1" = curl ] && [ -n "$sr_spool" ] || command -v "$1" >/dev/null || return
  case $1 in
    deno | node) file=js ;;
    python3) file=py ;;
    curl) file=sh ;;
    *)
      sr_set_tool program "$1"
      return
      ;;
  esac
  file=producer.$file
  [ -s "$sr_dir/$file" ] || "sr_unpack_${file#*.}" >"$sr_dir/$file"
  sr_set_tool "$1" "$sr_dir/$file"
}

# Sets sr_tool to the first usable producer, and sr_key to what it is to use.
sr_pick_producer() { sr_look_for_producer && sr_take_task_key; }

sr_look_for_producer() {
  local kind file looked=()
  sr_find_trust
  if [ -n "$sr_producer_path" ] && [ ! -f "$sr_producer_path" ]; then
    file=$sr_producer_path
    sr_producer_path= # another one may still tell
    sr_fail 86 "there is no producer $file on $(uname -n), expected producer.path to name a file that this host sees"
  elif [ -n "$sr_producer_path" ]; then
    sr_named_producer && return
    case $sr_producer_path in *.js | *.mjs) file=' (it needs deno >= 2 or node >= 22)' ;; *) file= ;; esac
    sr_say "the producer $sr_producer_path can't be used on $(uname -n)$file; looking for another one"
    looked+=("$sr_producer_path")
  fi
  for kind in "${sr_use[@]}"; do
    looked+=("$kind")
    sr_carried_producer "$kind" && sr_usable && return
  done
  sr_tool=()
  local IFS=, wanted='deno >= 2, node >= 22, python3 >= 3.6, curl with bash'
  if [ -n "$sr_key" ]; then
    wanted='the stream is encrypted: deno >= 2, node >= 22, or python3 >= 3.6 with cryptography or libcrypto'
  fi
  sr_lack="no producer can be used on $(uname -n): looked for ${looked[*]} ($wanted); load one with setup, or name one with producer.path"
  sr_say "$sr_lack"
  return 1
}

# Ends the stream where there is none that encrypts: curl can still tell so.
sr_refuse() {
  if [ -n "$sr_key" ] && [ -s "$sr_dir/producer.sh" ]; then
    sr_with_channel bash "$sr_dir/producer.sh" refuse "$sr_lack" </dev/null
  fi
}

# Runs the set-up lines in this shell. Returns the first failing one's exit code.
sr_run_setup() {
  local sr_line sr_code
  [ "${#sr_setup[@]}" -gt 0 ] || return 0
  if ! command -v module >/dev/null; then
    for sr_line in /etc/profile.d/modules.sh /etc/profile.d/lmod.sh /etc/profile.d/z00_lmod.sh \
      /usr/share/lmod/lmod/init/bash /usr/share/modules/init/bash /usr/share/Modules/init/bash; do
      # shellcheck disable=SC1090
      if [ -r "$sr_line" ]; then . "$sr_line" </dev/null && break; fi
    done
  fi
  if command -v conda >/dev/null && [ "$(type -t conda)" != function ]; then
    eval "$(conda shell.bash hook 2>/dev/null)"
  fi
  exec 5>&2 # where a line that ends the shell leaves stderr in the file
  for sr_line in "${sr_setup[@]}"; do
    eval "$sr_line" </dev/null 2>"$sr_dir/setup.stderr"
    sr_code=$?
    cat "$sr_dir/setup.stderr" >&2
    case $sr_line in
      # Old Tcl modules fail with exit code 0 and a word on stderr.
      module\ * | ml\ *)
        if [ $sr_code = 0 ] && grep -q ':ERROR:' "$sr_dir/setup.stderr"; then sr_code=1; fi
        ;;
    esac
    if [ $sr_code != 0 ]; then
      sr_failed_line=$sr_line
      exec 5>&-
      return $sr_code
    fi
  done
  exec 5>&-
  # Whatever the lines switched on was meant for them; the program's own shell starts afresh.
  set +eux +o pipefail
  unset IFS
  sr_set_traps
}

# Tells the relay that the job failed before the program could run, and ends the job.
sr_fail() { # exit code, sentence
  sr_say "$2"
  sr_phase=failed
  if [ "${#sr_tool[@]}" -eq 0 ]; then sr_pick_producer || exit "$1"; fi
  {
    echo "exit $1"
    tail -c 8192 "$sr_dir/setup.stderr" 2>/dev/null
    printf 'streamrelay: %s\n' "$2"
  } >"$sr_dir/verdict"
  sr_send_verdict </dev/null
  exit "$1"
}

sr_send_verdict() {
  local how=(pipe --pid "$sr_dir/pid")
  if [ -n "$sr_script" ]; then how=(report); fi
  (trap '' TERM INT HUP USR1 USR2 QUIT && sr_with_channel exec "${sr_tool[@]}" "${how[@]}" --verdict "$sr_dir/verdict") &
  sr_producer_pid=$!
  sr_await "$sr_producer_pid"
}

# Fetches the input, and looks whether the stream was cancelled before the job started.
sr_fetch_input() {
  local patience=$sr_give_up
  # Without an input this only looks for a cancel, and must not hold the program up.
  if [ -z "$sr_has_input" ] && [ "${patience%.*}" -gt 5 ]; then patience=5; fi
  (sr_give_up=$patience && sr_with_channel exec "${sr_tool[@]}" input "$sr_dir/input" </dev/null) &
  sr_child=$!
  sr_await "$sr_child"
  case $sr_status in
    0) sr_stdin=$sr_dir/input ;;
    3) ;;
    4)
      sr_say "the stream was cancelled or ended before the job started; nothing was run"
      exit 130
      ;;
    *)
      if [ -n "$sr_has_input" ]; then
        sr_say "the input could not be fetched from the relay; the program was not run"
        exit 87
      fi
      ;;
  esac
  sr_child=
  if [ -z "$sr_has_input" ]; then
    sr_stdin=/dev/null
  elif [ "$sr_stdin" = /dev/null ]; then
    sr_say "the relay holds no input for this channel; the program was not run"
    exit 87
  else
    export STREAMRELAY_PROMPT_FILE=$sr_stdin
  fi
}

# Sets sr_command to what runs the program. A script is handed to the interpreter that it names, as the
# kernel would: this also works under a /tmp mounted noexec.
sr_find_program() {
  local path=$sr_remote first= shebang
  if [ -z "$path" ]; then
    path=$sr_dir/program
    sr_program_text >"$path"
    chmod 700 "$path"
  elif [ -d "$path" ] || [ ! -r "$path" ] && [ ! -x "$path" ]; then
    sr_fail 127 "the program $path isn't there, or can't be read, on $(uname -n)"
  elif [ -x "$path" ]; then
    case $path in */*) ;; *) path=./$path ;; esac
    sr_command=("$path")
    return
  fi
  IFS= read -r first <"$path" 2>/dev/null
  first=${first%$'\r'}
  if [[ $first =~ ^'#!'[[:space:]]*([^[:space:]]+)[[:space:]]*(.*)$ ]]; then
    shebang=("${BASH_REMATCH[1]}")
    if [ -n "${BASH_REMATCH[2]}" ]; then shebang+=("${BASH_REMATCH[2]%"${BASH_REMATCH[2]##*[![:space:]]}"}"); fi
    sr_command=("${shebang[@]}" "$path")
  else
    sr_command=(bash "$path")
  fi
}

# Waits for a child to the end, however often a trapped signal interrupts, and tells in sr_status how it
# ended. Where a signal comes just as a child ends, bash (5.2 and 5.3) collects it without noting how, goes
# on taking it for running, and would wait for it as long as for any other child: then the status is that of
# the interrupted wait (128 and the signal), or 255. It goes by a variable because a trap that runs at
# `return` can change the status that the caller sees.
sr_await() { # process id
  local running
  sr_status=255
  while kill -0 "$1" 2>/dev/null || [[ $(LC_ALL=C && kill -0 "$1" 2>&1) = *ermitted* ]]; do # or another user's
    sr_interrupted=
    wait "$1" 2>/dev/null # where bash would tell that it was killed
    sr_status=$?
    [ -n "$sr_interrupted" ] || return 0
  done
  jobs -pr >"$sr_dir/running" # not by a substitution: a signal to the whole session would end that
  while IFS= read -r running; do [ "$running" != "$1" ] || return 0; done <"$sr_dir/running"
  wait "$1" 2>/dev/null
  sr_status=$?
}

# Runs a command in so many seconds, holding none of the job's files open meanwhile.
sr_after() { # seconds, command …
  (sleep "$1" && shift && "$@") </dev/null >/dev/null 2>&1 9>&- &
  sr_timers+=($!)
  disown $!
}

sr_on_signal() { # name, number
  sr_interrupted=1
  case $1 in TERM | INT) ;; *)
    if [ "$sr_phase" = running ]; then kill -"$1" -- "-$sr_pid" 2>/dev/null; fi
    return
    ;;
  esac
  case $sr_phase in
    starting) sr_stopped=$2 ;;
    running)
      if [ -z "$sr_stopped" ]; then sr_after "$sr_grace" kill -KILL -- "-$sr_pid"; fi
      sr_stopped=$2
      kill -"$1" -- "-$sr_pid" 2>/dev/null
      ;;
    reporting | failed)
      sr_after "$sr_grace" kill -KILL "$sr_producer_pid"
      ;;
    draining | over) ;; # the program has ended by itself, and its verdict stands
    *)
      sr_stopped=$2
      if [ -n "$sr_child" ]; then kill -KILL "$sr_child" 2>/dev/null; fi
      exit $((128 + $2))
      ;;
  esac
}

sr_set_traps() {
  trap sr_on_exit EXIT
  trap 'sr_on_signal TERM 15' TERM
  trap 'sr_on_signal INT 2' INT
  trap 'sr_on_signal HUP 1' HUP
  trap 'sr_on_signal QUIT 3' QUIT
  trap 'sr_on_signal USR1 10' USR1
  trap 'sr_on_signal USR2 12' USR2
}

sr_on_exit() {
  local code=$?
  trap '' TERM INT HUP USR1 USR2 QUIT
  if [ "$sr_phase" = setup ] && [ -z "$sr_stopped" ]; then # a set-up line said exit
    exec 2>&5 5>&-
    cat "$sr_dir/setup.stderr" >&2
    if [ $code = 0 ]; then code=1; fi
    (sr_fail $code "a setup line ended the shell")
  fi
  if [ "${#sr_timers[@]}" -gt 0 ]; then kill "${sr_timers[@]}" 2>/dev/null; fi
  rm -rf "$sr_dir"
  # A job that may be requeued will need its credentials again: one that was stopped, and under Slurm any
  # that failed (RequeueExit). Who looks after the stream removes what is left at its end. Those of an
  # array are for all of its tasks.
  if [ -n "$sr_credentials" ] && [ -z "$sr_array" ] && [ -z "$sr_stopped" ] &&
    { [ $code = 0 ] || { [ $code -le 128 ] && [ -z "${SLURM_JOB_ID:-}" ]; }; }; then
    rm -f "$sr_credentials"
  fi
  exit $code
}

# Runs the program in a process group of its own. Its output goes, as it comes, to the job's own output
# and to file descriptor 9; the end of its stderr is kept.
sr_run_program() {
  local unbuffered=()
  # A preloaded library of another libc prints an error for every process: then rather do without.
  if command -v stdbuf >/dev/null && [ -z "$(stdbuf -oL true 2>&1)" ]; then unbuffered=(stdbuf -oL); fi
  export PYTHONUNBUFFERED=${PYTHONUNBUFFERED-1}
  mkfifo -m 600 "$sr_dir/out" "$sr_dir/copy" "$sr_dir/err" "$sr_dir/tail"
  # The shell opens every pipe, so that none of these waits for ever should another one die; tee goes on
  # with the job's own output when the producer is gone, because SIGPIPE is ignored.
  (trap '' TERM INT HUP USR1 USR2 QUIT PIPE && exec tee "$sr_dir/copy" <"$sr_dir/out" >&9 2>/dev/null 9>&-) &
  sr_helpers=($!)
  disown $!
  (trap '' TERM INT HUP USR1 USR2 QUIT && exec cat <"$sr_dir/copy" 9>&-) &
  sr_endings=($!)
  (trap '' TERM INT HUP USR1 USR2 QUIT PIPE && exec tee "$sr_dir/tail" <"$sr_dir/err" >&2 9>&-) &
  sr_helpers+=($!)
  disown $!
  (trap '' TERM INT HUP USR1 USR2 QUIT && exec tail -c 8192 <"$sr_dir/tail" >"$sr_dir/stderr" 9>&-) &
  sr_endings+=($!)
  sr_phase=starting
  set -m
  if [ -n "$sr_script" ]; then
    (
      exec <"$sr_stdin" >"$sr_dir/out" 2>"$sr_dir/err" 9>&-
      export STREAMRELAY_TOKEN=$sr_token RELAY_SECRET=$sr_token CHANNEL_ID=$sr_channel
      if [ -n "$sr_key" ]; then export "$sr_key_name=$sr_key"; fi
      export RELAY_URL=${sr_url%%,*}
      case $RELAY_URL in http*) RELAY_URL=ws${RELAY_URL#http} ;; esac
      exec "${unbuffered[@]}" "${sr_command[@]}" "${sr_args[@]}"
    ) &
  else
    (
      exec <"$sr_stdin" >"$sr_dir/out" 2>"$sr_dir/err" 9>&-
      exec "${unbuffered[@]}" "${sr_command[@]}" "${sr_args[@]}"
    ) &
  fi
  sr_pid=$!
  set +m
  sr_phase=running
  if [ -n "$sr_stopped" ]; then # between two lines
    kill -TERM -- "-$sr_pid" 2>/dev/null
    sr_after "$sr_grace" kill -KILL -- "-$sr_pid"
  fi
  echo "$sr_pid" >"$sr_dir/pid.new" && mv "$sr_dir/pid.new" "$sr_dir/pid"
}

# After the program: lets the pipes run dry, and tells the producer how the program ended.
sr_conclude() { # exit code
  local pid what="exit $1"
  sr_after "$sr_drain" kill -KILL "${sr_helpers[@]}"
  for pid in "${sr_endings[@]}"; do sr_await "$pid"; done
  if [ -n "$sr_stopped" ]; then
    what="signal $sr_stopped"
  elif [ "$1" -gt 128 ] && [ "$1" -lt 160 ]; then
    what="signal $(($1 - 128))"
  fi
  { echo "$what" && cat "$sr_dir/stderr"; } >"$sr_dir/verdict.new"
  mv "$sr_dir/verdict.new" "$sr_dir/verdict"
}

sr_main() {
  sr_phase=start sr_timers=() sr_stopped= sr_task= sr_task_key= sr_everywhere= sr_child= sr_pid= sr_stdin=/dev/null sr_tool=() sr_command=() sr_dir=
  local code sent=0
  sr_make_folder
  sr_set_traps
  sr_find_task
  sr_find_spool
  sr_read_credentials
  export STREAMRELAY_URL=$sr_url STREAMRELAY_CHANNEL=$sr_channel

  sr_phase=setup
  sr_run_setup
  code=$?
  sr_phase=ready
  [ $code = 0 ] || sr_fail $code "the setup line '$sr_failed_line' failed with exit code $code"
  if [ -n "$sr_workdir" ]; then
    cd "$sr_workdir" 2>/dev/null || sr_fail 1 "the working directory $sr_workdir can't be entered on $(uname -n)"
  fi
  if ! sr_pick_producer; then
    [ -n "$sr_script" ] && [ -z "$sr_has_input" ] && [ -z "${sr_array:+$sr_key}" ] || { sr_refuse; exit 86; }
  fi
  if [ "${#sr_tool[@]}" -gt 0 ]; then sr_fetch_input; fi
  sr_find_program

  if [ -n "$sr_script" ]; then
    exec 9>/dev/null
  else
    mkfifo -m 600 "$sr_dir/stream"
    (
      trap '' TERM INT HUP USR1 USR2 QUIT
      sr_with_channel exec "${sr_tool[@]}" pipe --verdict "$sr_dir/verdict" --pid "$sr_dir/pid" <"$sr_dir/stream" >/dev/null
    ) &
    sr_producer_pid=$!
    exec 9>"$sr_dir/stream"
  fi
  sr_keep_first_task
  sr_run_program
  sr_await "$sr_pid"
  code=$sr_status
  sr_phase=draining
  sr_clean_nodes
  sr_conclude $code
  sr_phase=reporting
  exec 9>&-
  if [ -z "$sr_script" ]; then
    sr_await "$sr_producer_pid"
    sent=$sr_status
  elif [ $code != 0 ] && [ "${#sr_tool[@]}" -gt 0 ] && [ "$sr_key_name" = STREAMRELAY_KEY ]; then
    # a stream of encryption v1 has no words of ours in it: the supervisor learns from the scheduler
    sr_send_verdict </dev/null
    sent=$sr_status
  fi
  if [ $sent != 0 ]; then
    sr_say "the relay may lack some of the stream; all that the program printed is in the job's own output"
  fi
  # What the program left behind in its group ends with the job, as under a scheduler.
  kill -TERM -- "-$sr_pid" 2>/dev/null
  if [ $code = 0 ] && [ -n "$sr_stopped" ]; then code=$((128 + sr_stopped)); fi
  sr_phase=over
  exit $code
}
