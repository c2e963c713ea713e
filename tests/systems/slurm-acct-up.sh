#!/bin/bash
# Accounting (mariadbd + slurmdbd) for the cluster under STATE_DIR, so that sacct works.
# Call it BEFORE slurm-up.sh on a fresh STATE_DIR; root only, because mariadbd runs as user mysql.
# The database has a socket in the folder, and no port.
set -euo pipefail
dir=$(mkdir -p "${1:?state dir}" && cd "$1" && pwd -P); export PATH=$PATH:/usr/sbin
alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null && [ "$(cat "/proc/$(cat "$1")/comm")" = "$2" ]; }
mkdir -p "$dir"/{run,log,db}; chmod 755 "$dir" "$dir/run"
if [ ! -d "$dir/db/mysql" ]; then
  chown mysql "$dir/db"; mysql_install_db --no-defaults --user=mysql --datadir="$dir/db" \
    --auth-root-authentication-method=normal --skip-test-db >"$dir/log/mysql_install.log" 2>&1
fi
mkdir -p "$dir/run/db"; chown mysql "$dir/run/db"; chmod 700 "$dir/run/db"
if ! alive "$dir/run/db/m.pid" mariadbd; then
  setsid mariadbd --no-defaults --user=mysql --datadir="$dir/db" --socket="$dir/run/db/m.sock" \
    --pid-file="$dir/run/db/m.pid" --skip-networking --innodb-buffer-pool-size=64M \
    --innodb-log-file-size=16M --innodb-lock-wait-timeout=900 --innodb-flush-log-at-trx-commit=0 \
    >"$dir/log/mariadb.log" 2>&1 </dev/null &
  for _ in $(seq 200); do [ -S "$dir/run/db/m.sock" ] && mysql --no-defaults -S "$dir/run/db/m.sock" -e 'select 1' >/dev/null 2>&1 && break; sleep .1; done
fi
mysql --no-defaults -S "$dir/run/db/m.sock" -e "create user if not exists slurm@localhost identified by 'test'; grant all on slurm_acct_db.* to slurm@localhost"
for port in $(shuf -i 20000-32000 -n 50); do # one that nothing holds now
  (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
done
[ -s "$dir/slurmdbd.conf" ] || { (umask 077; cat > "$dir/slurmdbd.conf" <<CONF
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.socket
DbdAddr=127.0.0.1
DbdHost=$(hostname -s)
DbdPort=$port
SlurmUser=$(id -un)
LogFile=$dir/log/slurmdbd.log
PidFile=$dir/run/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=slurm
StoragePass=test
StorageLoc=slurm_acct_db
CommunicationParameters=NoInAddrAny
CONF
); }
echo "dbd conf: $dir/slurmdbd.conf"
