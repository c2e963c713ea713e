#!/bin/bash
# Sends what a program prints to a streamrelay channel, as it comes. Needs bash >= 4.2, curl, coreutils.
# The channel comes from STREAMRELAY_URL, STREAMRELAY_CHANNEL and STREAMRELAY_TOKEN
# (or RELAY_URL, CHANNEL_ID, RELAY_SECRET). It goes through http_proxy, https_proxy and no_proxy, and
# trusts the CAs in SSL_CERT_FILE, CURL_CA_BUNDLE or REQUESTS_CA_BUNDLE.
# Where no relay can be reached, STREAMRELAY_SPOOL is a folder that an executor follows; then without curl.
#
#   bash producer.sh run -- command …         run a command, stream its output, report how it ended
#   my-program | bash producer.sh pipe        stream standard input; add --eof-is-done where the end
#                                             of input is known to be success
#   bash producer.sh input FILE               fetch the channel's input (exit 3: none, 4: cancelled)
#   bash producer.sh report --verdict FILE    report a failure unless the channel has its end
#   bash producer.sh refuse SENTENCE          end the stream as one that can't be sent from here
#   bash producer.sh check                    exit 0 when this producer can be used here
#
# pipe also takes --verdict FILE (how the program ended: "exit N" or "signal N", then the end of its
# stderr) and --pid FILE (its process group, which is ended when the stream is cancelled).
#
# Output is kept in a temporary file while the relay can't be reached. In seconds:
# STREAMRELAY_HEARTBEAT (15), STREAMRELAY_GIVE_UP (600, after the end of the program),
# STREAMRELAY_KILL_AFTER (5), STREAMRELAY_DRAIN (2), STREAMRELAY_HINT (60), STREAMRELAY_TIMEOUT (30),
# STREAMRELAY_LOOK (2, for a cancel in a spool).
#
# Length: one file, so that it can be copied to wherever it is needed.

say() { printf 'streamrelay: %s\n' "$*" >&2; }

TICK=0.25
JSON_TEXT='"(([^"\\]|\\.)*)"'
IGNORED='TERM INT HUP USR1 USR2 QUIT'

now() { date +%s000; }

# How many ticks so many seconds are, rounded up.
ticks() { LC_ALL=C awk -v s="$1" -v t=$TICK 'BEGIN { n = s / t; print (n == int(n)) ? n : int(n) + 1 }'; }

prepare() {
  local list=${STREAMRELAY_URL:-${RELAY_URL:-}} url
  token=${STREAMRELAY_TOKEN:-${RELAY_SECRET:-}}
  channel=${STREAMRELAY_CHANNEL:-${CHANNEL_ID:-}}
  spool=${STREAMRELAY_SPOOL:-} spool_epoch=0 spool_size=0 spool_written=0 wanted=curl
  if [ -n "$spool" ]; then list=http://spool.invalid wanted=base64; fi
  if [ -z "$list" ] || [ -z "$channel" ]; then
    say 'STREAMRELAY_URL and STREAMRELAY_CHANNEL must be set'
    return 1
  fi
  urls=()
  for url in ${list//,/ }; do
    case $url in
      ws://* | wss://*) url=http${url#ws} ;;
      http://* | https://*) ;;
      *)
        say "$url is no relay URL: expected ws://, wss://, http:// or https://"
        return 1
        ;;
    esac
    urls+=("${url%/}")
  done
  for url in $wanted dd od awk sed; do
    command -v $url >/dev/null && continue
    say "$url is not on PATH"
    return 1
  done
  heartbeat=$(ticks "${STREAMRELAY_HEARTBEAT:-15}")
  look=$(ticks "${STREAMRELAY_LOOK:-2}")
  quiet=${STREAMRELAY_HEARTBEAT:-15}
  quiet=${quiet%.*}
  if [ -n "$spool" ] && [ "$heartbeat" -gt "$look" ]; then heartbeat=$look; fi
  drain=$(ticks "${STREAMRELAY_DRAIN:-2}")
  hint=$(ticks "${STREAMRELAY_HINT:-60}")
  give_up=${STREAMRELAY_GIVE_UP:-600}
  give_up=${give_up%.*}
  dir=$(mktemp -d "${TMPDIR:-/tmp}/streamrelay.XXXXXXXX") || return 1
  trap 'rm -rf "$dir"' EXIT
  local quoted=${token//\\/\\\\}
  (umask 077 && printf 'header = "Authorization: Bearer %s"\n' "${quoted//\"/\\\"}" >"$dir/curl.conf")
  trust
  over= cancelled= ended= answered=
}

# Tells curl what it does not find out by itself.
trust() {
  local bundle=${SSL_CERT_FILE:-${CURL_CA_BUNDLE:-${REQUESTS_CA_BUNDLE:-}}} how=cacert
  if [ -n "$bundle" ]; then
    if [ -d "$bundle" ]; then how=capath; fi
    bundle=${bundle//\\/\\\\}
    printf '%s = "%s"\n' $how "${bundle//\"/\\\"}" >>"$dir/curl.conf"
  fi
  # curl takes no notice of this one, because to a CGI script it is a header that anybody sends
  if [ -z "${http_proxy:-}" ] && [ -n "${HTTP_PROXY:-}" ]; then export http_proxy=$HTTP_PROXY; fi
}

# One request: call METHOD PATH [curl options …]. Leaves the answer in $dir/answer and in $content.
# Returns 1 when no relay answered ($problem), 2 when the relay refused for good ($code, $problem).
call() {
  if [ -n "$spool" ]; then
    call_spool "$@"
    return
  fi
  local method=$1 path=$2 status result
  shift 2
  code=
  : >"$dir/answer"
  status=$(curl -q -sS -K "$dir/curl.conf" -X "$method" -o "$dir/answer" -D "$dir/head" -w '%{http_code}' --connect-timeout 10 \
    --max-time "${STREAMRELAY_TIMEOUT:-30}" -H 'Expect:' "$@" "${urls[0]}/v1/channels/$channel$path" 2>"$dir/problem")
  result=$?
  if [ $result != 0 ] || [ "$status" -lt 100 ]; then
    problem=$(head -n 1 "$dir/problem")
    case $result,${#urls[@]},$answered in 51,1, | 60,1, | 77,1,)
      problem="the certificate of ${urls[0]} is not trusted on $(uname -n) (${problem#curl: ([0-9][0-9]) }); expected SSL_CERT_FILE to name the CAs that signed it"
      return 2
      ;;
    esac
    urls=("${urls[@]:1}" "${urls[0]}")
    return 1
  fi
  http=$status answered=1
  if [ "$(tail -n 1 "$dir/head")" != $'\r' ]; then # to curl this is an answer, of no content
    problem='the answer was cut off'
    return 1
  fi
  if [ "$status" -lt 400 ]; then return 0; fi
  content=$(tr -d '\000' <"$dir/answer")
  local pattern='^\{"error":\{"code":"([a-z_]+)","message":'$JSON_TEXT
  if ! [[ $content =~ $pattern ]]; then
    case $method$status in GET403 | GET405) # a proxy that lets only POST through
      call POST "$path" --data-binary '' "$@"
      return
      ;;
    esac
    problem="HTTP $status that is no answer of a relay"
    return 1
  fi
  code=${BASH_REMATCH[1]} problem="${BASH_REMATCH[2]} ($code)"
  case $status in 408 | 425 | 429 | 500 | 502 | 503 | 504) return 1 ;; esac
  return 2
}

# The same of a spool folder, where no relay can be reached: frames go into a file that the executor follows.
call_spool() {
  local path=$2 option type= close= body= wish='{' as= count=0
  code= http=200
  if [ ! -d "$spool" ]; then
    code=expired problem="the spool $spool is not there: the stream was ended, or $(uname -n) does not share that folder"
    return 2
  fi
  for option in "${@:3}"; do
    case $option in
      'Content-Type: '*) type=${option#*: } ;;
      'Producer-Close: '*) close=',"close":"'${option#*: }'"' ;;
      @*) body=${option#@} ;;
      '{'*) wish=$option ;;
    esac
  done
  case $path in
    /input)
      if [ ! -e "$spool/input" ]; then http=204; fi
      [ $http = 204 ] || base64 -d <"$spool/input" >"$dir/answer" 2>"$dir/problem" || {
        problem=$(head -n 1 "$dir/problem")
        return 1
      }
      return 0
      ;;
    /claim)
      if [ $spool_epoch = 0 ]; then
        count=1
        until mkdir -m 700 "$spool/$count.claim" 2>/dev/null; do
          if [ ! -d "$spool/$count.claim" ]; then
            problem="no folder can be made in $spool"
            return 1
          fi
          count=$((count + 1))
        done
        spool_epoch=$count
      fi
      if [ "$spool_size" = 0 ]; then
        printf '{"spool":1,"channel":"%s","epoch":%s,%s\n' "$channel" "$spool_epoch" "${wish#?}" >"$dir/frame"
        write_spool || return
      fi
      seq=0
      ;;
    /records)
      if [ -s "$body" ] && [ "$type" = text/plain ]; then
        base64 <"$body" | tr -d '\n' >"$dir/base64"
        body=$dir/base64 as=',"as":"base64"'
      fi
      if [ -s "$body" ]; then count=1; fi
      if [ $count = 1 ] || [ $((SECONDS - spool_written)) -ge "${quiet:-0}" ]; then
        {
          printf '{"n":%s,"e":%s,"s":%s,"b":%s%s%s}\n' $count "$spool_epoch" "$seq" "$(wc -c <"$body")" "$as" "$close"
          cat "$body"
          echo
        } >"$dir/frame"
        write_spool || return
        seq=$((seq + count))
      fi
      ;;
  esac
  local wanted=
  if [ -s "$spool/cancel" ]; then wanted=',"cancel":'$(tr -d '\000' <"$spool/cancel"); fi
  printf '{"epoch":%s,"next":%s%s}' "$spool_epoch" "${seq:-0}" "$wanted" >"$dir/answer"
}

# Appends $dir/frame. What a full file system left of one before is cut off first.
write_spool() {
  local file=$spool/$spool_epoch.spool
  if (umask 077 && : >>"$file" && { [ "$(wc -c <"$file")" = "$spool_size" ] || truncate -s "$spool_size" "$file"; } &&
    cat "$dir/frame" >>"$file") 2>"$dir/problem"; then
    spool_size=$((spool_size + $(wc -c <"$dir/frame")))
    spool_written=$SECONDS
    return 0
  fi
  problem=$(head -n 1 "$dir/problem")
  return 1
}

# Pauses before a request is repeated; fails when it is time to give up, which it never is while the
# program runs, because its output is kept.
pause_or_give_up() { # how often before
  if [ "$1" = 0 ]; then
    if [ -n "$spool" ]; then say "nothing can be written into the spool $spool ($problem); trying on"; else
      say "no relay answers at ${urls[*]} ($problem); trying on"
    fi
  fi
  if [ -z "$over" ] && { [ -n "$ended" ] || [ -e "$dir/eof" ]; }; then over=$((SECONDS + give_up)); fi
  if [ -n "$over" ] && [ $SECONDS -ge "$over" ]; then return 1; fi
  # 0.2 s doubling to 10 s, and some more by chance, so that a thousand jobs don't come back as one
  sleep "$(LC_ALL=C awk -v n="$1" -v r=$RANDOM 'BEGIN { s = 0.2 * 2 ^ (n > 6 ? 6 : n); if (s > 10) s = 10; print s * (0.5 + r / 65536) }')"
}

persist() { # as call
  local tries=0 result
  while :; do
    call "$@"
    result=$?
    [ $result = 1 ] || return $result
    pause_or_give_up $tries || return 1
    tries=$((tries + 1))
  done
}

# Notes what an answer says: the seq wanted next, a cancel, an end.
read_answer() {
  content=$(<"$dir/answer")
  if ! [[ $content =~ \"next\":([0-9]+) ]]; then
    problem="the relay's answer has no next: ${content:0:80}"
    return 1
  fi
  seq=${BASH_REMATCH[1]}
  if [ -z "$cancelled" ] && [[ $content =~ \"cancel\":\{(.*) ]]; then
    if [ -n "$verdict" ] && [ -e "$verdict" ]; then return 0; fi # the program had ended by itself
    local rest=${BASH_REMATCH[1]} pattern='"reason":'$JSON_TEXT
    cancelled='"cancelled":true'
    cancel_words='The stream was cancelled on request'
    if [[ $rest =~ \"by\":\"([a-z]+)\" ]]; then cancelled+=",\"by\":\"${BASH_REMATCH[1]}\""; fi
    if [[ $rest =~ $pattern ]]; then
      cancelled+=",\"reason\":\"${BASH_REMATCH[1]}\""
      cancel_words+=": ${BASH_REMATCH[1]}"
    fi
    if [ -n "$pid_file" ]; then end_program >/dev/null 2>&1 & else ended=1; fi
  fi
  return 0
}

end_program() {
  until [ -s "$pid_file" ]; do
    if [ -n "$verdict" ] && [ -e "$verdict" ]; then return; fi
    sleep 0.05
  done
  local group left
  group=$(<"$pid_file")
  kill -TERM -- "-$group" || return
  for ((left = $(ticks "${STREAMRELAY_KILL_AFTER:-5}"); left > 0; left--)); do
    sleep $TICK
    kill -0 -- "-$group" || return
  done
  kill -KILL -- "-$group"
}

claim() { # [what it continues]
  local wish="{\"instance\":\"$instance\"$1}"
  persist POST /claim -H 'Content-Type: application/json' --data-binary "$wish" || return
  read_answer || return
  [[ $content =~ \"epoch\":([0-9]+) ]] && epoch=${BASH_REMATCH[1]}
}

# Sends $dir/body until the relay has it: post CONTENT-TYPE [done|error].
post() {
  local tries=0 result
  while :; do
    call POST /records --data-binary "@$dir/body" -H "Content-Type: $1" -H "Producer-Id: $instance" \
      -H "Producer-Epoch: $epoch" -H "Producer-Seq: $seq" ${2:+-H "Producer-Close: $2"}
    result=$?
    case $result in
      0)
        read_answer || return 1
        if [ -z "$2" ] && [[ $content =~ \"end\":\{ ]]; then
          problem='the channel was ended by somebody else'
          return 1
        fi
        return 0
        ;;
      2)
        if [ "$code" = seq_gap ] && [[ $content =~ \"expected\":([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -gt "$seq" ]; then
          seq=${BASH_REMATCH[1]} # it had come through, and the answer was lost
          return 0
        fi
        if [ -n "$2" ] && [ $tries -gt 0 ]; then # the same, of the final record
          case $code in ended | unauthorized | not_found | expired) return 0 ;; esac
        fi
        return 2
        ;;
    esac
    pause_or_give_up $tries || return 1
    tries=$((tries + 1))
  done
}

# Copies standard input to the files seg.0, seg.1 … of about 1 MiB, as it comes, and rings a bell.
read_input() {
  local n=0 size=0 first _second third
  while :; do
    LC_ALL=C dd bs=65536 count=1 >>"$dir/seg.$n" 2>"$dir/dd"
    { read -r first && read -r _second && read -r third; } <"$dir/dd"
    [ "$first" != '0+0 records in' ] || break
    size=$((size + ${third%% *}))
    if [ $size -gt 1048576 ]; then n=$((n + 1)) size=0; fi
    if [ ! -e "$dir/rung" ]; then
      : >"$dir/rung"
      echo >&7
    fi
  done
  : >"$dir/eof"
  echo >&7
}

# Puts the next piece of text, about 32 KiB of whole characters, into $dir/body; fails if there is none.
# What is left of a character that isn't whole yet waits in $dir/held.
take() {
  local size hold bytes n
  while :; do
    tail -c "+$((at + 1))" "$dir/seg.$seg_number" 2>/dev/null | head -c 32768 >"$dir/fresh"
    size=$(wc -c <"$dir/fresh")
    if [ "$size" = 0 ]; then
      if [ ! -e "$dir/seg.$((seg_number + 1))" ]; then
        [ -n "$ended" ] && [ -s "$dir/held" ] && mv "$dir/held" "$dir/body"
        return
      fi
      # The next file is begun once this one is complete; look again, as it may have grown meanwhile.
      [ "$at" -ge "$(wc -c <"$dir/seg.$seg_number")" ] || continue
      rm -f "$dir/seg.$seg_number"
      seg_number=$((seg_number + 1)) at=0
      continue
    fi
    at=$((at + size))
    if [ -s "$dir/held" ]; then
      cat "$dir/held" "$dir/fresh" >"$dir/body"
      size=$(wc -c <"$dir/body")
      rm -f "$dir/held"
    else
      mv "$dir/fresh" "$dir/body"
    fi
    read -r -a bytes <<<"$(tail -c 3 "$dir/body" | od -An -v -tu1)"
    hold=0 n=${#bytes[@]}
    if [ "${bytes[n - 1]}" -ge 192 ]; then
      hold=1
    elif [ "$n" -gt 1 ] && [ "${bytes[n - 1]}" -ge 128 ] && [ "${bytes[n - 2]}" -ge 224 ]; then
      hold=2
    elif [ "$n" -gt 2 ] && [ "${bytes[n - 1]}" -ge 128 ] && [ "${bytes[n - 2]}" -ge 128 ] && [ "${bytes[n - 2]}" -lt 192 ] && [ "${bytes[n - 3]}" -ge 240 ]; then
      hold=3
    fi
    [ $hold -gt 0 ] || return 0
    tail -c $hold "$dir/body" >"$dir/held"
    [ "$size" -gt $hold ] || continue
    head -c $((size - hold)) "$dir/body" >"$dir/part" && mv "$dir/part" "$dir/body"
    return
  done
}

# Has the relay hold an answer back until there is a cancel or an end; it comes into $dir/news.
listen() {
  if [ -n "$spool$heard" ] || { [ -n "$listener" ] && kill -0 "$listener" 2>/dev/null; }; then return; fi
  curl -q -sS -K "$dir/curl.conf" -X POST -o "$dir/news" --connect-timeout 10 --max-time 30 -H 'Expect:' -H 'Prefer: wait=15' \
    -H "Producer-Id: $instance" -H "Producer-Epoch: $epoch" -H 'Producer-Seq: 0' -H 'Content-Type: text/plain' \
    --data-binary '' "${urls[0]}/v1/channels/$channel/records" </dev/null >/dev/null 2>&1 7>&- 8>&- &
  listener=$!
}

stop_listening() {
  [ -n "$listener" ] || return 0
  kill -KILL "$listener" 2>/dev/null
  wait "$listener" 2>/dev/null # where bash would tell that it was killed
  listener=
}

# Takes a record for standard input's text and sends all of it.
stream() {
  local idle=0 waited=0 silent=1 job
  mkfifo "$dir/bell" && exec 7<>"$dir/bell" || return 1
  exec 8<&0
  read_input <&8 &
  reader=$!
  claim || return
  job=$(printf %s "${STREAMRELAY_JOB_ID:-${SLURM_JOB_ID:-${PBS_JOBID:-}}}" | json_text)
  printf '{"type":"status","state":"running","node":"%s"%s,"ts":%s}' "$(uname -n)" \
    "${job:+,\"jobId\":\"${job%\\n}\"}" "$(now)" >"$dir/body"
  post application/x-ndjson || return
  listen
  while :; do
    if [ -e "$dir/eof" ]; then ended=1; fi
    rm -f "$dir/rung"
    if take; then
      post text/plain || return
      idle=0 silent=
      continue
    fi
    [ -z "$ended" ] || return 0
    LC_ALL=C read -r -t $TICK -u 7 && continue
    idle=$((idle + 1))
    if [ -s "$dir/news" ]; then
      if grep -q -e '"cancel":{' -e '"end":{' "$dir/news"; then heard=1; fi
      rm -f "$dir/news"
    fi
    if [ $((idle % heartbeat)) = 0 ] || [ "$heard" = 1 ]; then
      heard=${heard:+told}
      : >"$dir/body"
      post text/plain || return
      listen
    fi
    if [ -n "$silent" ] && [ $idle = "$hint" ]; then
      say "no output for ${STREAMRELAY_HINT:-60} s; it may be buffered: flush it after each piece, or see stdbuf and PYTHONUNBUFFERED"
    fi
    if [ -n "$verdict" ] && [ -e "$verdict" ]; then # a child of the program may hold the pipe open
      waited=$((waited + 1))
      if [ $waited -gt "$drain" ]; then ended=1; fi
    fi
  done
}

# Standard input as the inside of a JSON text.
json_text() {
  LC_ALL=C tr -d '\000-\010\013\014\016-\037\177' |
    { iconv -f UTF-8 -t UTF-8 -c 2>/dev/null || LC_ALL=C tr -d '\200-\377'; } |
    LC_ALL=C sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/\t/\\t/g' -e 's/\r/\\r/g' -e 's/$/\\n/' | tr -d '\n'
}

# Sends the record that ends the stream: finish exit|signal NUMBER; stderr is in $dir/stderr.
finish() {
  local message details last
  if [ -n "$cancelled" ]; then
    printf '{"type":"error","code":"cancelled","message":"%s","details":{%s},"ts":%s}' "$cancel_words" "$cancelled" "$(now)" >"$dir/body"
    post application/x-ndjson error
    return
  fi
  if [ "$1 $2" = 'exit 0' ]; then
    printf '{"type":"done","reason":"completed","ts":%s}' "$(now)" >"$dir/body"
    post application/x-ndjson 'done'
    return
  fi
  if [ "$1" = exit ]; then
    message="The program ended with exit code $2" details="\"exitCode\":$2"
  else
    message="The program was killed by signal $2" details="\"signal\":$2"
  fi
  last=$(LC_ALL=C grep -av '^[[:space:]]*$' "$dir/stderr" | tail -n 1 | head -c 500 | json_text)
  printf '{"type":"error","code":"job_failed","message":"%s%s","details":{%s,"stderr":"%s","node":"%s"},"ts":%s}' \
    "$message" "${last:+: ${last%\\n}}" "$details" "$(json_text <"$dir/stderr")" "$(uname -n)" "$(now)" >"$dir/body"
  post application/x-ndjson error
}

# Sets kind and number to how the program ended, as the wrapper wrote it.
read_verdict() {
  kind=
  [ -r "$1" ] && read -r kind number <"$1"
  case $kind in exit | signal) ;; *) return 1 ;; esac
  tail -n +2 "$1" | tail -c 8192 >"$dir/stderr"
}

new_instance() { instance=sh-$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n'); }

give_up_streaming() {
  say "streaming stopped: $problem"
  if [ -n "$reader" ]; then # the program must not be held up or killed for it
    kill -KILL "$reader" 2>/dev/null
    wait "$reader" 2>/dev/null # where bash would tell that it was killed
    cat <&8 >/dev/null
  fi
}

pipe() { # [--eof-is-done]
  new_instance
  : >"$dir/stderr"
  # signals to the whole job are the wrapper's business
  # shellcheck disable=SC2086
  if [ -n "$verdict" ]; then trap '' $IGNORED; fi
  if ! stream; then
    stop_listening
    give_up_streaming
    return 1
  fi
  stop_listening
  kill -KILL "$reader" 2>/dev/null
  if [ -n "$verdict" ] && read_verdict "$verdict"; then :; elif [ -n "$1" ] || [ -n "$cancelled" ]; then
    kind=exit number=0
  else
    say "the input ended, but nothing told whether the program succeeded; use run -- command, or --eof-is-done"
    return 1
  fi
  finish "$kind" "$number" && return
  say "streaming stopped: $problem"
  return 1
}

run() {
  local producer_pid code status stopped= signal interrupted endings
  verdict=$dir/verdict pid_file=$dir/pid
  mkfifo "$dir/in" "$dir/out" "$dir/copy" "$dir/err" "$dir/tail"
  (trap - EXIT && pipe <"$dir/in" >/dev/null) &
  producer_pid=$!
  exec 9>"$dir/in"
  # shellcheck disable=SC2064,SC2086
  for signal in $IGNORED; do trap "on_signal $signal" $signal; done
  # shellcheck disable=SC2086
  {
    (trap '' $IGNORED PIPE && exec tee "$dir/copy" <"$dir/out" >&9 2>/dev/null 9>&-) &
    (trap '' $IGNORED && exec cat <"$dir/copy" 9>&-) &
    endings=($!)
    (trap '' $IGNORED PIPE && exec tee "$dir/tail" <"$dir/err" >&2 9>&-) &
    (trap '' $IGNORED && exec tail -c 8192 <"$dir/tail" >"$dir/run.stderr" 9>&-) &
    endings+=($!)
  }
  exec 6<&0
  set -m
  (
    exec <&6 >"$dir/out" 2>"$dir/err" 6<&- 9>&-
    unset STREAMRELAY_TOKEN STREAMRELAY_KEY RELAY_SECRET RELAY_ENCRYPTION_KEY
    export PYTHONUNBUFFERED=${PYTHONUNBUFFERED-1}
    exec "$@"
  ) &
  child=$!
  set +m
  echo $child >"$dir/pid.new" && mv "$dir/pid.new" "$dir/pid"
  await $child
  code=$status
  for signal in "${endings[@]}"; do await "$signal"; done
  if [ -n "$stopped" ]; then
    signal="signal $stopped"
  elif [ $code -gt 128 ] && [ $code -lt 160 ]; then
    signal="signal $((code - 128))"
  else
    signal="exit $code"
  fi
  { echo "$signal" && cat "$dir/run.stderr"; } >"$dir/verdict.new" && mv "$dir/verdict.new" "$dir/verdict"
  exec 9>&-
  await $producer_pid
  if [ -n "$stopped" ] && [ $code = 0 ]; then code=$((128 + stopped)); fi
  return $code
}

on_signal() {
  interrupted=1
  case $1 in TERM) stopped=15 ;; INT) stopped=2 ;; esac
  kill -"$1" -- "-$child" 2>/dev/null
}

# Tells in status how a child ended. Where a signal comes just as it does, bash collects it without noting
# how and goes on taking it for running: then the status is that of the interrupted wait.
await() { # process id
  local running
  status=255
  while kill -0 "$1" 2>/dev/null || [[ $(LC_ALL=C && kill -0 "$1" 2>&1) = *ermitted* ]]; do # or another user's
    interrupted=
    wait "$1" 2>/dev/null # where bash would tell that it was killed
    status=$?
    [ -n "$interrupted" ] || return 0
  done
  jobs -pr >"$dir/running" # not by a substitution: a signal to the whole session would end that
  while IFS= read -r running; do [ "$running" != "$1" ] || return 0; done <"$dir/running"
  wait "$1" 2>/dev/null
  status=$?
}

# A user's own producer may have ended the stream already, or died before it could.
report() {
  local continues=
  if ! read_verdict "$1"; then
    say "$1 holds no verdict"
    return 1
  fi
  [ "$kind $number" != 'exit 0' ] || return 0
  new_instance
  ended=1
  if persist GET ''; then
    content=$(<"$dir/answer")
    if [[ $content =~ \"end\":\{ ]]; then return 0; fi
    local claims=${content#*'"claims":['} epoch
    claims=${claims%%]*}
    claims=${claims##*\{}
    if [[ $claims =~ \"epoch\":([0-9]+) ]]; then
      epoch=${BASH_REMATCH[1]}
      if [[ $claims =~ \"next\":([0-9]+) ]]; then
        continues=",\"continues\":{\"epoch\":$epoch,\"count\":${BASH_REMATCH[1]}}"
      fi
    fi
    claim "$continues" || { [ "$code" = seq_gap ] && claim; } && finish "$kind" "$number" && return 0
  fi
  if [ "$code" = ended ]; then return 0; fi
  say "how the program ended could not be told to the relay: $problem"
  return 1
}

# Ends the stream of a producer that can't be used here, in the clear: it holds no more than why.
refuse() { # sentence
  local words
  words=$(printf %s "$1" | json_text)
  new_instance
  ended=1
  if [ "$give_up" -gt 30 ]; then give_up=30; fi
  if claim; then
    printf '{"type":"error","code":"unsupported","message":"%s","ts":%s}' "${words%\\n}" "$(now)" >"$dir/body"
    post application/x-ndjson error && return
  fi
  say "the relay could not be told: $problem"
  return 1
}

fetch_input() {
  ended=1
  if persist GET ''; then
    content=$(<"$dir/answer")
    if [[ $content =~ \"cancel\":\{ ]] || [[ $content =~ \"end\":\{ ]]; then return 4; fi
    if STREAMRELAY_TIMEOUT=600 persist GET /input; then
      [ "$http" != 204 ] || return 3
      rm -f "$1"
      (umask 077 && cat "$dir/answer" >"$1") && return
      problem="$1 can't be written"
    elif [ "$code" = not_found ]; then
      return 3
    fi
  elif [ "$code" = ended ]; then
    return 4
  fi
  say "the input can't be fetched: $problem"
  return 1
}

main() {
  local what=$1 eof_is_done= lack
  verdict='' pid_file='' reader='' listener='' heard='' child='' code='' seg_number=0 at=0 tail=0
  case $what in check | input | pipe | refuse | report | run) shift ;; *)
    sed -n '2,22s/^# \{0,1\}//p' "$0" >&2
    [ "$what" = --help ]
    return
    ;;
  esac
  prepare || return 1
  if [ $what != refuse ] && [ -n "${STREAMRELAY_KEY:-${RELAY_ENCRYPTION_KEY:-}}" ]; then
    lack="bash with curl can't encrypt (openssl's command has no AES-256-GCM), and a key is set: expected deno, node >= 22, or python3 with cryptography or libcrypto on $(uname -n)"
    say "$lack"
    case $what in pipe | run) refuse "$lack" ;; esac
    return 1
  fi
  case $what in
    check) return 0 ;;
    refuse) [ $# = 1 ] && { refuse "$1"; return; } ;;
    input) [ $# = 1 ] && { fetch_input "$1"; return; } ;;
    run) [ "$1" = -- ] && [ $# -gt 1 ] && { shift; run "$@"; return; } ;;
    report | pipe)
      while [ $# -gt 0 ]; do
        case $1 in
          --verdict) verdict=$2 && shift ;;
          --pid) pid_file=$2 && shift ;;
          --eof-is-done) eof_is_done=1 ;;
          *) break ;;
        esac
        shift
      done
      if [ $# = 0 ]; then
        if [ $what = pipe ]; then pipe $eof_is_done; else report "$verdict"; fi
        return
      fi
      ;;
  esac
  sed -n '2,22s/^# \{0,1\}//p' "$0" >&2
  return 2
}

main "$@"
exit
