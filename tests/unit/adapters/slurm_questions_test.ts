import { assertEquals } from "@std/assert";
import type { ProgramOutcome } from "../../../adapters/run_program.ts";
import { parseSacct } from "../../../adapters/slurm/slurm_accounting.ts";
import { parsePlaces } from "../../../adapters/slurm/slurm_places.ts";
import { type RunSlurm, SlurmQuestions } from "../../../adapters/slurm/slurm_questions.ts";
import { parseSlurmSite } from "../../../adapters/slurm/slurm_site.ts";
import { StreamError } from "../../../stream/mod.ts";

const PACE = { placesEvery: 3_600_000, accountingTime: 10_000, urgent: false };
const DISABLED = "Slurm accounting storage is disabled";

/** A line as squeue prints it with our columns. */
function line(...fields: string[]): string {
  const widths = [24, 24, 120, 16, 240, 32, 12, 240];
  return widths.map((width, i) => (fields[i] ?? "").padEnd(width)).join("") + "\n";
}

/** Slurm's programs, each with its answer; writes down what is run. */
function slurm(answers: Record<string, string | Error>): { run: RunSlurm; calls: string[] } {
  const calls: string[] = [];
  const run = async (program: string, args: string[]): Promise<ProgramOutcome> => {
    const listing = args.includes("PENDING") ? " of all" : "";
    calls.push(program + listing);
    const answer = answers[program + listing] ?? "";
    if (answer instanceof Error) {
      if (answer instanceof StreamError) throw answer;
      return { code: 1, stdout: "", stderr: answer.message };
    }
    return { code: 0, stdout: answer, stderr: "" };
  };
  return { run, calls };
}

Deno.test("slurm questions - places are looked up once in a while, and kept in between", async () => {
  const { run, calls } = slurm({
    squeue: line("7", "PENDING", "Priority"),
    "squeue of all": "7|5|gpu|N/A|Priority\n8|9|gpu|N/A|Resources\n9|9|cpu|N/A|Resources\n",
    scontrol: "PrivateData = none",
  });
  const questions = new SlurmQuestions();
  const places = [];
  for (let i = 0; i < 4; i++) {
    places.push((await questions.states(run, ["7"], PACE)).get("7")?.position);
  }
  assertEquals(places, [undefined, 2, 2, 2]);
  assertEquals(calls, ["squeue", "scontrol", "squeue of all", "squeue", "squeue"]);
});

Deno.test("slurm questions - no place where jobs of others are hidden, or for one that is held", async () => {
  for (const [reason, config] of [["Priority", "PrivateData = jobs"], ["JobHeldUser", ""]]) {
    const { run, calls } = slurm({ squeue: line("7", "PENDING", reason), scontrol: config });
    const questions = new SlurmQuestions();
    for (let i = 0; i < 3; i++) await questions.states(run, ["7"], PACE);
    assertEquals(calls.filter((call) => call === "squeue of all"), []);
  }
});

Deno.test("slurm questions - a job that waits no longer is told by the next question, at once if urgent", async () => {
  for (const urgent of [false, true]) {
    const answers = {
      squeue: line("7", "PENDING", "Priority") + line("8", "PENDING", "Priority"),
      "squeue of all": "7|5|gpu|N/A|Priority\n",
    };
    const { run, calls } = slurm(answers);
    const questions = new SlurmQuestions();
    const states = [];
    for (let i = 0; i < 3; i++) {
      const reports = await questions.states(run, ["7", "8"], { ...PACE, urgent: urgent && i > 0 });
      states.push(reports.get("8")?.state);
      answers.squeue = line("7", "PENDING", "Priority") + line("8", "RUNNING");
    }
    assertEquals(states, ["PENDING", urgent ? "RUNNING" : "PENDING", "RUNNING"]);
    const all = calls.filter((call) => call !== "scontrol");
    assertEquals(all, ["squeue", urgent ? "squeue" : "squeue of all", "squeue"]);
  }
});

Deno.test("slurm questions - looks at the queue, however often, never keep a job's end from being seen", async () => {
  const answers = { squeue: line("7", "PENDING", "Priority"), "squeue of all": "" };
  const { run } = slurm(answers);
  const questions = new SlurmQuestions();
  const pace = { ...PACE, placesEvery: 0 };
  await questions.states(run, ["7"], pace);
  answers.squeue = line("7", "FAILED", "", "256");
  const states = [];
  for (let i = 0; i < 2; i++) {
    states.push((await questions.states(run, ["7"], pace)).get("7")?.state);
  }
  assertEquals(states, ["PENDING", "FAILED"]);
});

Deno.test("slurm questions - the accounting is asked about the forgotten and the failed, in one call", async () => {
  const { run, calls } = slurm({
    squeue: line("1", "RUNNING") + line("2", "FAILED", "NonZeroExitCode", "1792", "n1") +
      line("3", "COMPLETED") + line("5", "TIMEOUT"),
    sacct: "2|FAILED|7:0|1001|n1|None\n2.0|OUT_OF_MEMORY|0:125||n1|\n4|TIMEOUT|0:0|1001|n2|None\n",
  });
  const questions = new SlurmQuestions();
  const reports = await questions.states(run, ["1", "2", "3", "4", "5", "6"], PACE);
  assertEquals(calls, ["squeue", "sacct"]);
  assertEquals(
    [...reports].map(([id, { fate }]) => `${id} ${fate?.code}`),
    ["1 undefined", "2 oom", "3 completed", "5 walltime", "4 walltime"],
  );
  assertEquals(reports.get("2")?.fate?.details.exitCode, 7);
});

Deno.test("slurm questions - where there is no accounting it isn't asked again", async () => {
  const missing = new StreamError("submit_failed", "sacct was not found on PATH");
  for (const answer of [new Error(DISABLED), missing]) {
    const { run, calls } = slurm({ squeue: line("2", "FAILED", "", "256"), sacct: answer });
    const questions = new SlurmQuestions();
    for (let i = 0; i < 2; i++) {
      const reports = await questions.states(run, ["2"], PACE);
      assertEquals(reports.get("2")?.fate?.code, "job_failed");
    }
    assertEquals(calls, ["squeue", "sacct", "squeue"]);
  }
});

Deno.test("sacct - jobs that have not ended, and steps, tell nothing by themselves", () => {
  const reports = parseSacct("7|RUNNING|0:0|0|n1|None\n8.batch|FAILED|1:0||n1|\n\n");
  assertEquals([...reports], []);
});

Deno.test("sacct - who cancelled a job", () => {
  const message = (by: string) =>
    parseSacct(`7|CANCELLED${by}|0:0|1001|None assigned|None\n`).get("7")?.fate?.message;
  assertEquals(message(" by 1001"), "The job was cancelled by its owner (scancel)");
  assertEquals(
    message(" by 0"),
    "The job was cancelled by an administrator of the cluster (uid 0)",
  );
  assertEquals(message(""), "The job was cancelled by somebody else (scancel)");
});

Deno.test("squeue - places are counted in each partition, without those that don't wait for their turn", () => {
  const places = parsePlaces(
    [
      "1|100|gpu|N/A|Dependency",
      "2|90|gpu|2026-11-21T05:02:20|Resources",
      "3_[1-3%2]|80|gpu|N/A|Priority",
      "4|80|gpu,cpu|N/A|Priority",
      "5|80|cpu|N/A|None",
    ].join("\n"),
  );
  assertEquals(
    [...places].map(([id, { position }]) => [id, position]),
    [["1", undefined], ["2", 1], ["3_1", 2], ["3_2", 2], ["3_3", 2], ["4", 1], ["5", 2]],
  );
  assertEquals(places.get("2")?.eta, new Date(2026, 10, 21, 5, 2, 20).getTime());
});

Deno.test("scontrol - exit codes with which jobs are started over", () => {
  const text = "RequeueExit             = 75,100-110\nRequeueExitHold         = 9\n";
  assertEquals(parseSlurmSite(text).requeued, [[75, 75], [100, 110], [9, 9]]);
  assertEquals(parseSlurmSite("RequeueExit             = (null)\n").requeued, []);
});

Deno.test("scontrol - which sites archive scripts", () => {
  for (
    const [text, archives] of [
      ["AccountingStoreFlags    = job_comment", false],
      ["AccountingStoreFlags    = job_comment,job_script", true],
      ["AccountingStoreFlags    = job_env", true],
      ["JobCompType             = jobcomp/filetxt", false],
      ["JobCompType             = jobcomp/elasticsearch", true],
      ["JobCompType             = jobcomp/script", true],
    ] as const
  ) assertEquals(parseSlurmSite(text).archivesScripts, archives, text);
});
