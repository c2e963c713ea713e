# The part of `streamrelay doctor` that runs on the node: it tries what a producer would need, and prints
# what it found as lines "streamrelay-doctor<TAB>name<TAB>value…". It judges nothing: what the facts mean
# is said by who asked. It uses what job_wrapper.sh does with producers; for some of it curl is needed, or
# python3.

# Prints a fact. No token, and no password of a proxy, gets into one.
sr_fact() { # name, value …
  local value line=streamrelay-doctor
  for value; do
    if [ -n "$sr_token" ]; then value=${value//"$sr_token"/…}; fi
    if [ -n "$sr_key" ]; then value=${value//"$sr_key"/…}; fi
    line+=$'\t'${value//[$'\t\r\n']/ }
  done
  # me:word@proxy may stand behind a scheme or not
  printf '%s\n' "$line" | sed -E 's#://[^[:space:]]*@#://…@#g; s#(^|[[:space:]])[^[:space:]/]+@#\1…@#g' |
    tee -a "$sr_dir/facts"
}

sr_limited() { # seconds, command …
  local seconds=$1
  shift
  if command -v timeout >/dev/null; then timeout "$seconds" "$@"; else "$@"; fi
}

# The first of several URLs, in the parts that matter.
sr_split_url() {
  local rest authority
  sr_base=${sr_url%%,*}
  case $sr_base in ws://* | wss://*) sr_base=http${sr_base#ws} ;; esac
  sr_base=${sr_base%/} sr_scheme=${sr_base%%://*} rest=${sr_base#*://}
  authority=${rest%%[/?#]*}
  sr_port=80
  if [ "$sr_scheme" = https ]; then sr_port=443; fi
  case $authority in
    \[*)
      sr_host=${authority#\[} sr_host=${sr_host%%\]*} authority=${authority##*\]}
      if [ -n "$authority" ]; then sr_port=${authority#:}; fi
      ;;
    *:*) sr_host=${authority%%:*} sr_port=${authority##*:} ;;
    *) sr_host=$authority ;;
  esac
  sr_fact relay "$sr_scheme" "$sr_host" "$sr_port"
}

sr_look_up() {
  case $sr_host in
    *:*) sr_fact dns literal && return ;;
    *[!0-9.]*) ;;
    *) sr_fact dns literal && return ;;
  esac
  local found
  sr_servers=$(awk '$1 == "nameserver" { printf "%s ", $2 }' /etc/resolv.conf 2>/dev/null)
  # without it the port tells
  command -v getent >/dev/null || return 0
  found=$(sr_limited "$sr_patience" getent ahosts "$sr_host" 2>/dev/null | awk '!seen[$1]++ { printf "%s ", $1 }')
  if [ -n "$found" ]; then sr_fact dns found "$found"; else sr_fact dns missing "$sr_servers"; fi
}

sr_try_port() {
  local words code
  words=$(LC_ALL=C sr_limited "$sr_patience" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$sr_host" "$sr_port" 2>&1 >/dev/null)
  code=$?
  case $code/$words in
    0/*) sr_fact port open ;;
    124/*) sr_fact port silent ;;
    *refused*) sr_fact port refused ;;
    *esol* | *'not known'*)
      command -v getent >/dev/null || sr_fact dns missing "$sr_servers"
      sr_fact port unnamed
      ;;
    *) sr_fact port failed "${words##*: }" ;;
  esac
}

# What the variables of this node say about the relay's URL. Sets sr_proxy.
sr_find_proxy() {
  local name list exempt
  sr_proxy=
  for name in "${sr_scheme}_proxy" "$(tr '[:lower:]' '[:upper:]' <<<"$sr_scheme")_PROXY" all_proxy ALL_PROXY; do
    [ -n "${!name:-}" ] || continue
    sr_proxy=${!name}
    break
  done
  [ -n "$sr_proxy" ] || return
  list=${no_proxy:-${NO_PROXY:-}}
  set -f
  for exempt in ${list//,/ }; do
    case $exempt in
      '*') ;;
      *) case .$sr_host in *".${exempt#.}") ;; *) continue ;; esac ;;
    esac
    sr_fact proxy-exempt "$name" "$sr_proxy" "$exempt"
    sr_proxy=
    break
  done
  set +f
  if [ -n "$sr_proxy" ]; then sr_fact proxy-set "$name" "$sr_proxy"; fi
}

# Proxies that are written down on this node without being set.
sr_list_proxies() {
  printf 'doctor\t%s\n' "${sr_proxies[@]}"
  grep -iHE 'proxy' /etc/environment /etc/profile.d/*.sh /etc/profile /etc/bashrc /etc/bash.bashrc \
    /etc/apt/apt.conf /etc/apt/apt.conf.d/* /etc/dnf/dnf.conf /etc/yum.conf /etc/wgetrc /etc/pip.conf \
    "${HOME:-/nonexistent}/.wgetrc" "${HOME:-/nonexistent}/.config/pip/pip.conf" 2>/dev/null |
    sed -nE 's#^([^:]*):[[:space:]]*[^[:space:]\#].*(https?://[^]["'"'"' ;,/]+).*#\1\t\2#p' |
    awk -F '\t' '!seen[$2]++' | head -n 8
}

# A request by curl, or by what stands in for it. Proxies and their passwords stay out of its arguments.
sr_ask() { # way, options …
  (
    case $1 in
      direct) export no_proxy='*' NO_PROXY='*' ;;
      set) if [ -z "${http_proxy:-}" ] && [ -n "${HTTP_PROXY:-}" ]; then export http_proxy=$HTTP_PROXY; fi ;;
      *)
        unset no_proxy NO_PROXY
        export http_proxy=$1 https_proxy=$1
        ;;
    esac
    bundle=${SSL_CERT_FILE:-${CURL_CA_BUNDLE:-${REQUESTS_CA_BUNDLE:-}}}
    if [ -f "$bundle" ]; then export CURL_CA_BUNDLE=$bundle; fi
    shift
    echo "$BASHPID" >"$sr_dir/curl.pid"
    exec "${sr_asker[@]}" --connect-timeout "$sr_patience" --max-time $((sr_patience * 2)) -H Expect: \
      -D "$sr_dir/head" -o "$sr_dir/body" "$@"
  ) 2>"$sr_dir/words"
}

# Sets sr_asker to what can ask a relay.
sr_find_asker() {
  sr_asker=(curl -q -sS --http1.1)
  # curl before 7.33 knows no other version
  curl --http1.1 --version >/dev/null 2>&1 || sr_asker=(curl -q -sS)
  command -v curl >/dev/null && return
  if python3 -E -s -c 'import ssl, sys; sys.exit(sys.version_info < (3, 6))' 2>/dev/null; then
    sr_unpack_ask >"$sr_dir/ask.py"
    sr_asker=(python3 -E -s "$sr_dir/ask.py")
    return
  fi
  sr_fact no-asker
  return 1
}

# Asks for the relay's health on a way. Succeeds where the way leads there, whatever TLS thinks of it.
sr_try_way() { # name, way
  local out code status connect is=no
  : >"$sr_dir/body"
  out=$(sr_ask "$2" -w '%{http_code} %{http_connect}' "$sr_base/health")
  code=$?
  status=${out% *} connect=${out#* }
  if grep -qE '"status": ?"(healthy|draining)"' "$sr_dir/body"; then is=yes; fi
  sr_fact way "$1" "$code" "$status" "$connect" $is "$(head -n 1 "$sr_dir/words")" "$2"
  case $code in 35 | 51 | 58 | 59 | 60 | 77) sr_tls=$code ;; *) [ $is = yes ] && sr_tls=0 ;; esac
}

# Sets sr_way to a way that leads to the relay: what is set, the direct one, or a proxy that is written
# down somewhere. From then on the environment is as it would have to be for that.
sr_find_way() {
  local file proxy
  sr_way=
  sr_find_asker || return
  if [ -n "$sr_proxy" ]; then sr_try_way set set && sr_way=set; fi
  if [ -z "$sr_way" ]; then
    sr_try_way direct direct && sr_way=direct
    if [ -n "$sr_way" ] && [ -n "$sr_proxy" ]; then
      export no_proxy=${no_proxy:+$no_proxy,}$sr_host
      export NO_PROXY=$no_proxy
      sr_fact assumed no_proxy "$no_proxy"
    fi
  fi
  while [ -z "$sr_way" ] && IFS=$'\t' read -r file proxy; do
    [ -n "$proxy" ] || continue
    sr_try_way "$file" "$proxy" || continue
    sr_way=set
    export http_proxy=$proxy https_proxy=$proxy
    unset no_proxy NO_PROXY HTTP_PROXY HTTPS_PROXY
    sr_fact assumed "${sr_scheme}_proxy" "$proxy" "$file"
  done < <(sr_list_proxies)
  [ -n "$sr_way" ]
}

sr_try_tls() {
  local file words state
  [ "$sr_scheme" = https ] || return 0
  if [ "$sr_tls" = 0 ]; then
    sr_fact tls trusted "${SSL_CERT_FILE:-${CURL_CA_BUNDLE:-${REQUESTS_CA_BUNDLE:-}}}"
    return
  fi
  words=$(head -n 1 "$sr_dir/words")
  case $sr_tls in 51 | 60 | 77) state=untrusted ;; *) state=failed ;; esac
  # what it says of itself, and what time it is there
  sr_ask "$sr_way" -k -v "$sr_base/health"
  sr_fact tls $state "${words#curl: }" "$(sed -n 's/^\* *issuer: //p' "$sr_dir/words" | tail -n 1)" \
    "$(sed -n 's/^\* *start date: //p' "$sr_dir/words" | tail -n 1)" \
    "$(sed -n 's/^\* *expire date: //p' "$sr_dir/words" | tail -n 1)"
  sr_clock
  for file in /usr/local/share/ca-certificates/*.crt /etc/pki/ca-trust/source/anchors/* /etc/ssl/certs/ca-certificates.crt \
    /etc/pki/tls/certs/ca-bundle.crt; do
    [ -f "$file" ] || continue
    (export SSL_CERT_FILE=$file && sr_ask "$sr_way" "$sr_base/health") || continue
    export SSL_CERT_FILE=$file
    sr_tls=0
    sr_fact assumed SSL_CERT_FILE "$file"
    return
  done
  return 1
}

# How far this node's clock is ahead of the relay's, in seconds: the last answer's Date tells.
sr_clock() {
  local theirs now
  now=$(date +%s)
  theirs=$(sed -n 's/^[Dd]ate: *//p' "$sr_dir/head" | tail -n 1 | tr -d '\r')
  [ -n "$theirs" ] && [ -z "${sr_clock_known:-}" ] || return 0
  theirs=$(LC_ALL=C date -d "$theirs" +%s 2>/dev/null) || return 0
  sr_clock_known=1
  sr_fact clock $((now - theirs))
}

sr_try_socket() {
  local pid tries=0
  : >"$sr_dir/head"
  sr_ask "$sr_way" -N -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' \
    -H 'Sec-WebSocket-Key: c3RyZWFtcmVsYXktZG9jMQ==' "$sr_base/health" 2>/dev/null &
  pid=$!
  # curl does not know that a socket has been closed, and would wait for more
  while kill -0 $pid 2>/dev/null && [ $tries -lt $((sr_patience * 10)) ]; do
    tries=$((tries + 1))
    grep -q '^HTTP/[0-9.]* 101' "$sr_dir/head" && break
    sleep 0.1
  done
  kill "$(cat "$sr_dir/curl.pid")" 2>/dev/null
  wait $pid 2>/dev/null
  sr_fact socket "$(sed -n 's#^HTTP/[0-9.]* \([0-9]*\).*#\1#p' "$sr_dir/head" | tail -n 1)" "$(head -n 1 "$sr_dir/words")"
}

# Whether what is uploaded in pieces arrives in pieces: the first one is looked for before the last is sent.
sr_try_upload() {
  local seen=held tries=0 pid
  # an encrypted channel takes nothing that is not
  [ -n "$sr_channel_given" ] && [ -z "$sr_key" ] || return 0
  mkfifo -m 600 "$sr_dir/up"
  mkdir "$sr_dir/upload"
  (umask 077 && printf 'header = "Authorization: Bearer %s"\n' "$sr_token" >"$sr_dir/token")
  exec 8<>"$sr_dir/up" # so that neither side waits for the other
  (
    exec <"$sr_dir/up" 8>&-
    way=(-K "$sr_dir/token" -X POST -T - --max-time $((sr_patience * 4)) "$sr_base/v1/pipe/$sr_channel")
    sr_dir=$sr_dir/upload
    sr_ask "$sr_way" "${way[@]}"
  ) &
  pid=$!
  printf 'streamrelay doctor\n' >&8
  while [ $seen = held ] && [ $tries -lt $((sr_patience * 4)) ] && kill -0 $pid 2>/dev/null; do
    tries=$((tries + 1))
    sr_ask "$sr_way" -K "$sr_dir/token" "$sr_base/v1/channels/$sr_channel"
    if grep -qE '"claims":\[[^]]*"next": ?[1-9]' "$sr_dir/body"; then seen=streams; else sleep 0.25; fi
  done
  exec 8>&-
  wait $pid
  sr_fact upload $seen "$(sed -n 's#^HTTP/[0-9.]* \([0-9]*\).*#\1#p' "$sr_dir/upload/head" 2>/dev/null | tail -n 1)" \
    "$(head -n 1 "$sr_dir/upload/words" 2>/dev/null)"
}

# What the producer in sr_tool can do here.
sr_try_producer() { # kind, version
  local words reaches=untried encrypts=no
  if ! words=$(sr_key='' sr_with_channel sr_limited 30 "${sr_tool[@]}" check 2>&1 </dev/null); then
    sr_fact producer "$1" "$2" no no untried "$(sed -n 's/^streamrelay: //p' <<<"$words" | tail -n 1)"
    return
  fi
  (sr_key=$sr_sample_key && sr_usable) && encrypts=yes
  words=
  if [ -n "$sr_channel_given" ]; then
    reaches=no
    words=$(sr_with_channel sr_limited $((sr_patience * 6)) "${sr_tool[@]}" input "$sr_dir/input" 2>&1 </dev/null)
    case $? in 0 | 3 | 4) reaches=yes ;; esac
    words=$(sed -n 's/^streamrelay: //p' <<<"$words" | tail -n 1)
  fi
  sr_fact producer "$1" "$2" yes $encrypts $reaches "$words"
  if [ $reaches = yes ] && { [ -z "$sr_key" ] || [ $encrypts = yes ]; }; then sr_good+=("$1"); fi
}

sr_try_producers() {
  local kind
  sr_good=()
  sr_find_trust
  if [ -n "$sr_producer_path" ]; then
    sr_named_producer || sr_set_tool program "$sr_producer_path"
    sr_try_producer path "$sr_producer_path"
  fi
  for kind in "${sr_use[@]}"; do
    if sr_carried_producer "$kind"; then
      sr_try_producer "$kind" "$(sr_limited 30 "$kind" --version 2>&1 </dev/null | head -n 1)"
    else
      sr_fact producer "$kind" '' absent no untried ''
    fi
  done
}

# The report itself goes through the relay, by the first producer that can.
sr_try_stream() {
  local kind words
  for kind in "${sr_good[@]}"; do
    if [ "$kind" = path ]; then sr_named_producer; else sr_carried_producer "$kind"; fi
    words=$({ cat "$sr_dir/facts" && printf 'streamrelay-doctor\tstream\t%s\tyes\nstreamrelay-doctor\tend\n' "$kind"; } |
      sr_with_channel sr_limited $((sr_patience * 6)) "${sr_tool[@]}" pipe --eof-is-done 2>&1 >/dev/null)
    if [ $? = 0 ]; then
      sr_fact stream "$kind" yes
      return
    fi
    sr_fact stream "$kind" no "$(sed -n 's/^streamrelay: //p' <<<"$words" | tail -n 1)"
  done
}

sr_doctor() {
  sr_timers=() sr_tool=() sr_tls=
  sr_make_folder
  trap 'rm -rf "$sr_dir"' EXIT
  sr_channel_given=$sr_channel
  # a producer does not start without one
  sr_channel=${sr_channel:-doctor}
  sr_fact begin
  sr_fact node "$(uname -n)"
  sr_split_url
  sr_look_up
  sr_try_port
  sr_find_proxy
  if sr_find_way; then
    sr_clock
    if sr_try_tls; then
      sr_try_socket
      sr_try_upload
    fi
  fi
  sr_try_producers
  if [ -n "$sr_channel_given" ]; then sr_try_stream; fi
  sr_fact end
}
