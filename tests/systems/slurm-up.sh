#!/bin/bash
# Bring up a private one-node Slurm (munged + slurmctld + slurmd) under one state folder.
# usage: slurm-up.sh STATE_DIR        (then: export SLURM_CONF=STATE_DIR/slurm.conf)
# No systemd, no cgroups, no /etc files; everything listens on 127.0.0.1 ports of its own.
# Idempotent: a second call on a live cluster only checks it. Works as root and as a plain user
# (as a plain user, only that user can submit).
# Settable:
#   SLURM_CPUS (64)            CPUs the node is said to have, whatever the machine has
#   SLURM_NODES (1)            more: so many nodes, node1 …, each a slurmd of this machine
#   SLURM_MEM (2000)           its memory in MB
#   SLURM_MIN_JOB_AGE (300)    seconds a finished job stays visible
#   SLURM_PRIVATE_DATA (jobs,usage)   empty: everybody sees every job
#   SLURM_MEMORY ()            job: memory is allotted, and what a job uses beyond its share kills it
#   SLURM_EXTRA ()             further lines of slurm.conf
# Accounting (sacct) where slurm-acct-up.sh was called for the same folder before.
# Partitions: main (the default, 60 min) and tiny (1 min, for PartitionTimeLimit).
set -euo pipefail
umask 022
dir=$(mkdir -p "${1:?state dir}" && cd "$1" && pwd -P)
export PATH=$PATH:/usr/sbin:/sbin
me=$(id -un)
host=$(hostname -s)
cpus=${SLURM_CPUS:-64}
mem=${SLURM_MEM:-2000}
count=${SLURM_NODES:-1} each=
[ "$count" = 1 ] || each=.%n
private=${SLURM_PRIVATE_DATA-jobs,usage}

alive() { [ -s "$1" ] && kill -0 "$(cat "$1")" 2>/dev/null && [ "$(cat "/proc/$(cat "$1")/comm")" = "$2" ]; }
free_port() { # a TCP port of 127.0.0.1 that nothing holds now
  local p; for p in $(shuf -i 20000-32000 -n 50); do
    (exec 3<>"/dev/tcp/127.0.0.1/$p") 2>/dev/null || { echo "$p"; return; }; done; return 1; }

mkdir -p "$dir"/{run,spool,ctl,log,key}
chmod 755 "$dir" "$dir/run"; chmod 700 "$dir/key" "$dir/ctl"

# --- munge: its own key and socket
if [ ! -s "$dir/key/munge.key" ]; then
  (umask 077; head -c 128 /dev/urandom > "$dir/key/munge.key"); chmod 400 "$dir/key/munge.key"
fi
if ! alive "$dir/run/munged.pid" munged; then
  rm -f "$dir"/run/munge.socket*
  munged --key-file="$dir/key/munge.key" --socket="$dir/run/munge.socket" \
    --pid-file="$dir/run/munged.pid" --log-file="$dir/log/munged.log" \
    --seed-file="$dir/key/munged.seed" --num-threads=2
fi

# --- slurm.conf, written once
if [ -s "$dir/slurmdbd.conf" ]; then
  # without the socket in AccountingStoragePass clients hang
  acct="AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort=$(sed -n s/^DbdPort=//p "$dir/slurmdbd.conf")
AccountingStoragePass=$dir/run/munge.socket"
else acct=AccountingStorageType=accounting_storage/none; fi
# without cgroups the memory that processes have is looked at every second
if [ "${SLURM_MEMORY:-}" = job ]; then
  memory="JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill,NoShared
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=400"
else memory="JobAcctGatherType=jobacct_gather/none
SelectTypeParameters=CR_CPU"; fi
if [ ! -s "$dir/slurm.conf" ]; then
  ctl=$(free_port); d=$(free_port)
  while [ "$d" = "$ctl" ]; do d=$(free_port); done
  names=$host nodes="NodeName=$host NodeAddr=127.0.0.1 CPUs=$cpus RealMemory=$mem State=UNKNOWN"
  if [ "$count" != 1 ]; then
    names="node[1-$count]" nodes=
    for n in $(seq "$count"); do
      mkdir -p "$dir/spool.node$n"
      nodes+="NodeName=node$n NodeHostname=$host NodeAddr=127.0.0.1 Port=$(free_port) CPUs=$cpus RealMemory=$mem State=UNKNOWN"$'\n'
    done
  fi
  cat > "$dir/slurm.conf.new" <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$ctl
SlurmdPort=$d
SlurmUser=$me
SlurmdUser=$me
AuthType=auth/munge
AuthInfo=socket=$dir/run/munge.socket
CredType=cred/munge
StateSaveLocation=$dir/ctl
SlurmdSpoolDir=$dir/spool$each
SlurmctldPidFile=$dir/run/slurmctld.pid
SlurmdPidFile=$dir/run/slurmd$each.pid
SlurmctldLogFile=$dir/log/slurmctld.log
SlurmdLogFile=$dir/log/slurmd$each.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
$acct
$memory
JobCompType=jobcomp/filetxt
JobCompLoc=$dir/log/jobcomp.txt
JobRequeue=1
SwitchType=switch/none
MpiDefault=none
SelectType=select/cons_tres
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=2,batch_sched_delay=0,sched_min_interval=0
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
ReturnToService=2
MinJobAge=${SLURM_MIN_JOB_AGE:-300}
KillWait=2
InactiveLimit=0
${private:+PrivateData=$private}
${SLURM_EXTRA:-}
$nodes
PartitionName=main Nodes=$names Default=YES MaxTime=60:00 DefaultTime=10:00 OverTimeLimit=0 State=UP
PartitionName=tiny Nodes=$names Default=NO MaxTime=1:00 DefaultTime=1:00 OverTimeLimit=0 State=UP
CONF
  mv "$dir/slurm.conf.new" "$dir/slurm.conf"
fi
touch "$dir/log/jobcomp.txt"
export SLURM_CONF=$dir/slurm.conf

if [ -s "$dir/slurmdbd.conf" ] && ! alive "$dir/run/slurmdbd.pid" slurmdbd; then
  MYSQL_UNIX_PORT=$dir/run/db/m.sock slurmdbd >>"$dir/log/start.log" 2>&1
  for _ in $(seq 300); do sacctmgr -n -i list cluster >/dev/null 2>&1 && break; sleep 0.1; done
  sacctmgr -i add cluster test >>"$dir/log/start.log" 2>&1 || true
fi
alive "$dir/run/slurmctld.pid" slurmctld || slurmctld -f "$SLURM_CONF" >>"$dir/log/start.log" 2>&1
if [ "$count" = 1 ]; then
  alive "$dir/run/slurmd.pid" slurmd || slurmd -f "$SLURM_CONF" >>"$dir/log/start.log" 2>&1
else
  for n in $(seq "$count"); do
    alive "$dir/run/slurmd.node$n.pid" slurmd || slurmd -f "$SLURM_CONF" -N "node$n" >>"$dir/log/start.log" 2>&1
  done
fi

for i in $(seq 150); do
  s=$(timeout 5 sinfo -h -p main -o %T 2>/dev/null | sort -u || true)
  case $s in idle|mixed|allocated) echo "slurm up: SLURM_CONF=$SLURM_CONF node=$s"; exit 0;; esac
  [ "$i" -lt 30 ] || alive "$dir/run/slurmctld.pid" slurmctld || break
  sleep 0.1
done
echo "slurm did not come up; see $dir/log" >&2; tail -5 "$dir"/log/*.log >&2; exit 1
