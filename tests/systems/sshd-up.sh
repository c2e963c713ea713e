#!/bin/bash
# A private sshd on 127.0.0.1: sshd-up.sh STATE_DIR [USER]   (idempotent; no systemd, nothing of /etc/ssh)
# Settable: SSHD_EXTRA, further lines of sshd_config, which win over those here; SSHD, the program.
# As a plain user: only that user can log in. As root: USER (default: the caller) gets the key.
set -euo pipefail
dir=$(mkdir -p "${1:?state dir}" && cd "$1" && pwd -P); user=${2:-$(id -un)}; umask 077
export PATH=$PATH:/usr/sbin
sshd=${SSHD:-/usr/sbin/sshd}
[ -s "$dir/host_key" ] || ssh-keygen -q -t ed25519 -N '' -C test -f "$dir/host_key"
[ -s "$dir/id" ] || ssh-keygen -q -t ed25519 -N '' -C test -f "$dir/id"
if [ ! -s "$dir/port" ]; then # one that nothing holds now
  for port in $(shuf -i 20000-32000 -n 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port" > "$dir/port"; break; }
  done
fi
port=$(cat "$dir/port")
cp "$dir/id.pub" "$dir/authorized_keys"; chmod 755 "$dir"; chmod 644 "$dir/authorized_keys"
if [ "$(id -u)" = 0 ]; then chown "$user" "$dir/id" "$dir/id.pub"; mkdir -p -m 755 /run/sshd; fi
cat > "$dir/sshd_config" <<CONF
${SSHD_EXTRA:-}
ListenAddress 127.0.0.1:$port
HostKey $dir/host_key
PidFile $dir/sshd.pid
AuthorizedKeysFile $dir/authorized_keys
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PubkeyAuthentication yes
PermitRootLogin prohibit-password
AllowUsers $user
ClientAliveInterval 5
ClientAliveCountMax 2
MaxSessions 50
MaxStartups 50
AllowTcpForwarding yes
X11Forwarding no
PrintMotd no
PrintLastLog no
LogLevel VERBOSE
Subsystem sftp internal-sftp
CONF
printf '[127.0.0.1]:%s %s\n' "$port" "$(cut -d' ' -f1,2 "$dir/host_key.pub")" > "$dir/known_hosts"; chmod 644 "$dir/known_hosts"
cat > "$dir/ssh_config" <<CONF
Host hpc
  HostName 127.0.0.1
  Port $port
  User $user
  IdentityFile $dir/id
  IdentitiesOnly yes
  UserKnownHostsFile $dir/known_hosts
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  ConnectTimeout 5
  ServerAliveInterval 5
  ServerAliveCountMax 2
CONF
chmod 644 "$dir/ssh_config"
if ! { [ -s "$dir/sshd.pid" ] && [ "$(cat /proc/$(cat "$dir/sshd.pid")/comm 2>/dev/null)" = "${sshd##*/}" ]; }; then
  "$sshd" -t -f "$dir/sshd_config"
  "$sshd" -f "$dir/sshd_config" -E "$dir/sshd.log"
fi
for _ in $(seq 50); do (exec 3<>/dev/tcp/127.0.0.1/$port) 2>/dev/null && { echo "sshd up: ssh -F $dir/ssh_config hpc  (port $port)"; exit 0; }; sleep 0.05; done
echo "sshd did not come up" >&2; tail -n 5 "$dir/sshd.log" >&2; exit 1
