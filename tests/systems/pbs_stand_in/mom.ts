/** Runs one job of the stand-in, as PBS's node daemon does. @module */
import { at, readJob, SERVER, startJob, writeJob } from "./server.ts";

const number = Number(Deno.args[0]);
const job = readJob(number)!;
const { shown } = job;
const spool = at(`jobs/${number}`);
const out = await Deno.open(job.live ? job.output : `${spool}/out`, { create: true, append: true });
const err = job.error === undefined
  ? out
  : await Deno.open(job.live ? job.error : `${spool}/err`, { create: true, append: true });

const child = new Deno.Command("/bin/bash", {
  args: [at(`jobs/${number}/script`)],
  cwd: job.env.HOME,
  clearEnv: true,
  env: job.env,
  stdin: "null",
  stdout: "piped",
  stderr: "piped",
  detached: true,
}).spawn();

let killed: { substate: number; status: number } | undefined;
let again = false;
function kill(substate: number, status: number): void {
  if (killed) return;
  killed = { substate, status };
  signalSession("SIGTERM");
  setTimeout(() => signalSession("SIGKILL"), 2_000);
}

Deno.addSignalListener("SIGTERM", () => kill(91, 271));
// qrerun
Deno.addSignalListener("SIGUSR1", () => {
  again = true;
  kill(10, 0);
});
// a test's word for a job that uses too much memory
Deno.addSignalListener("SIGUSR2", () => kill(93, -27));
Object.assign(shown, {
  job_state: "R",
  substate: 42,
  run_count: Number(shown.run_count ?? 0) + 1,
  exec_host: `${SERVER}/0`,
  comment: `Job run at now on (${SERVER}:ncpus=1)`,
});
writeJob(number, { ...job, runner: Deno.pid });
if (job.walltime !== undefined) setTimeout(() => kill(93, -29), job.walltime * 1_000);
const { memory } = job;
if (memory !== undefined) {
  setInterval(() => {
    if (bytesOfSession() > memory) kill(93, -27);
  }, 500);
}

const pumps = [pump(child.stdout, out), pump(child.stderr, err)];
const { code, signal } = await child.status;
signalSession("SIGKILL");
await Promise.race([Promise.all(pumps), new Promise((resolve) => setTimeout(resolve, 500))]);
if (!job.live) {
  await Deno.copyFile(`${spool}/out`, job.output);
  if (job.error !== undefined) await Deno.copyFile(`${spool}/err`, job.error);
}
if (again) {
  delete shown.exec_host;
  Object.assign(shown, { job_state: "Q", substate: 10, comment: "Not Running: It is rerun" });
  writeJob(number, { ...job, runner: undefined });
  startJob(number);
  Deno.exit(0);
}
const status = killed?.status ?? (signal ? 256 + numberOf(signal) : code);
Object.assign(shown, {
  job_state: "F",
  substate: killed?.substate ?? (status === 0 ? 92 : 93),
  Exit_status: status,
});
writeJob(number, job);
Deno.exit(0);

function signalSession(signal: Deno.Signal): void {
  eachOfSession((pid) => Deno.kill(pid, signal));
}

/** What its processes have in memory. */
function bytesOfSession(): number {
  let bytes = 0;
  eachOfSession((_pid, stat) => bytes += Number(stat[21]) * 4096);
  return bytes;
}

/** Everything that the job started, whatever group it is in, with its `stat` from the third field on. */
function eachOfSession(task: (pid: number, stat: string[]) => void): void {
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/stat`);
      const stat = line.slice(line.lastIndexOf(")") + 2).split(" ");
      if (Number(stat[3]) === child.pid) task(Number(name), stat);
    } catch {
      // it has ended meanwhile
    }
  }
}

function numberOf(signal: Deno.Signal): number {
  return signal === "SIGKILL" ? 9 : 15;
}

async function pump(from: ReadableStream<Uint8Array>, to: Deno.FsFile): Promise<void> {
  for await (const chunk of from) await to.write(chunk);
}
