/** The stand-in's `qsub`. @module */
import {
  CPUS,
  fail,
  type Job,
  nextNumber,
  noteCall,
  SERVER,
  startJob,
  UNKNOWN_QUEUE,
} from "./server.ts";
import { at, writeJob } from "./server.ts";

noteCall("qsub");
const QUEUES = ["workq", "full"];
const FLAGS = "hVzX";

const script = await new Response(Deno.stdin.readable).text();
const options = new Map<string, string>();
const resources = new Map<string, string>();

function take(words: string[]): void {
  for (let i = 0; i < words.length; i++) {
    const letter = /^-([A-Za-z])/.exec(words[i])?.[1] ?? fail(2, "usage: qsub [-a date_time] …");
    if (FLAGS.includes(letter)) {
      options.set(letter, "");
      continue;
    }
    const value = words[i].slice(2) || words[++i];
    if (value === undefined) fail(2, "usage: qsub [-a date_time] …");
    if (letter !== "l") options.set(letter, value);
    else {for (const [, name, amount] of value.matchAll(/(\w+)=([^,]*)/g)) {
        resources.set(name, amount);
      }}
  }
}

for (const line of script.split("\n")) {
  if (!line.startsWith("#")) break;
  if (line.startsWith("#PBS ")) take(line.slice(5).trim().split(/\s+/));
}
take([...Deno.args]);

const queue = options.get("q") ?? "workq";
if (!QUEUES.includes(queue)) fail(UNKNOWN_QUEUE, "qsub: Unknown queue");
const keep = options.get("k");
if (keep !== undefined && !/^(n|[oed]+)$/.test(keep)) fail(2, "qsub: illegal -k value");

const number = nextNumber();
const id = `${number}.${SERVER}`;
Deno.writeTextFileSync(at(`jobs/${number}/script`), script, { mode: 0o600 });

const name = options.get("N") ?? "STDIN";
const folder = Deno.cwd();
const place = (path: string) => path.startsWith("/") ? path : `${folder}/${path}`;
const chunk = /^(\d+)?.*?ncpus=(\d+)/.exec(resources.get("select") ?? "");
const cpus = chunk ? Number(chunk[1] ?? 1) * Number(chunk[2]) : Number(resources.get("ncpus") ?? 1);
const never = cpus > CPUS;
const clock = resources.get("walltime")?.split(":").map(Number);
const job: Job = {
  shown: {
    Job_Name: name,
    Job_Owner: `user@${SERVER}`,
    job_state: options.has("h") ? "H" : "Q",
    substate: options.has("h") ? 20 : 10,
    queue,
    Resource_List: Object.fromEntries(resources),
    ...(options.has("A") && { Account_Name: options.get("A") }),
    Submit_arguments: Deno.args.join(" "),
    // with -V the submitter's whole environment is shown to everybody
    Variable_List: { ...(options.has("V") && Deno.env.toObject()), PBS_O_WORKDIR: folder },
    ...(never && {
      comment:
        `Can Never Run: Insufficient amount of resource: ncpus (R: ${cpus} A: ${CPUS} T: ${CPUS})`,
    }),
    ...(queue === "full" && {
      comment: "Not Running: Insufficient amount of resource: ncpus",
      estimated: { start_time: 4_102_444_800 },
    }),
  },
  folder,
  env: {
    HOME: Deno.env.get("HOME") ?? "/",
    PATH: Deno.env.get("PATH") ?? "",
    PBS_JOBID: id,
    PBS_JOBNAME: name,
    PBS_O_WORKDIR: folder,
    PBS_ENVIRONMENT: "PBS_BATCH",
    PBS_QUEUE: queue,
  },
  walltime: clock?.reduce((sum, part) => sum * 60 + part, 0),
  memory: bytesOf(
    /(?:^|:)mem=(\w+)/.exec(resources.get("select") ?? "")?.[1] ?? resources.get("mem"),
  ),
  output: place(options.get("o") ?? `${name}.o${number}`),
  error: options.get("j") === "oe" ? undefined : place(options.get("e") ?? `${name}.e${number}`),
  live: keep?.includes("d") ?? false,
};
function bytesOf(amount = ""): number | undefined {
  const [, count, unit] = /^(\d+)([kmgt]?)b$/.exec(amount) ?? [];
  return count === undefined ? undefined : Number(count) * 1024 ** " kmgt".indexOf(unit || " ");
}

writeJob(number, job);
if (!options.has("h") && !never && queue !== "full") startJob(number);
console.log(id);
