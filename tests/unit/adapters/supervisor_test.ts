import { assertEquals, assertStringIncludes } from "@std/assert";
import type { JobReport } from "../../../adapters/job/job_report.ts";
import { Supervisor } from "../../../adapters/job/supervisor.ts";
import { DEFAULT_TIMINGS } from "../../../adapters/timings.ts";
import type { EndRequest } from "../../../client/mod.ts";
import type { StatusEvent } from "../../../stream/mod.ts";
import { StreamError } from "../../../stream/mod.ts";

/** A supervisor between a relay and a scheduler that only write down what is wanted of them. */
function supervised(
  options: {
    cancelJob?: () => Promise<void>;
    end?: () => Promise<void>;
    output?: string;
    announceRunning?: boolean;
  } = {},
) {
  const wanted: string[] = [];
  const statuses: StatusEvent[] = [];
  const ends: EndRequest[] = [];
  let ended = () => {};
  const supervisor = new Supervisor({
    channel: "c1",
    control: {
      async end(_channel, end) {
        await options.end?.();
        ends.push(end);
        ended();
        return { end: { kind: end.kind, by: "supervisor", ts: 0 } };
      },
    },
    announce: (status) => statuses.push(status),
    watch: () => ({
      wait: () => wanted.push("wait"),
      rest: () => wanted.push("rest"),
      investigate: () => wanted.push("investigate"),
      stop: () => wanted.push("stop"),
    }),
    cancelJob: (id) => {
      wanted.push(`cancel ${id}`);
      return options.cancelJob?.() ?? Promise.resolve();
    },
    output: () => Promise.resolve(options.output),
    timings: { ...DEFAULT_TIMINGS, cancelRetry: 1, connectHint: 0 },
    announceRunning: options.announceRunning ?? false,
    lost: () => wanted.push("lost"),
  });
  return {
    supervisor,
    wanted,
    statuses,
    async end(): Promise<EndRequest> {
      while (ends.length === 0) {
        await new Promise<void>((resolve) => ended = resolve);
      }
      supervisor.stop();
      return ends[0];
    },
  };
}

const ACTIVE: JobReport = { phase: "active", state: "RUNNING", node: "n1" };
const COMPLETED: JobReport = {
  phase: "ended",
  state: "COMPLETED",
  fate: { code: "completed", message: "", details: { exitCode: 0 } },
};
const UNKNOWN: JobReport = { phase: "unknown", state: "UNKNOWN" };
const PENDING: JobReport = { phase: "pending", state: "PENDING" };

function fated(code: "walltime" | "oom" | "preempted"): JobReport {
  return {
    phase: "ended",
    state: code.toUpperCase(),
    fate: { code, message: `It was ${code}`, details: { state: code } },
  };
}

Deno.test("supervisor - a job that talks is not asked about, one that went silent is", () => {
  const { supervisor, wanted } = supervised();
  supervisor.submitted("7");
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.producerStatus({ state: "disconnected" });
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.stop();
  assertEquals(wanted, ["rest", "investigate", "rest", "stop"]);
});

Deno.test("supervisor - an exit code from the job itself ends at once", async () => {
  const { supervisor, end } = supervised();
  supervisor.submitted("7");
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.producerStatus({
    state: "failing",
    code: "job_failed",
    details: { exitCode: 7, stderr: "no model" },
  });
  assertEquals(await end(), {
    kind: "error",
    code: "job_failed",
    message: "The job's program ended with exit code 7",
    details: { exitCode: 7, stderr: "no model", jobId: "7" },
  });
});

for (const code of ["walltime", "oom", "preempted"] as const) {
  Deno.test(`supervisor - a signal is explained by the scheduler: ${code}`, async () => {
    const { supervisor, wanted, end } = supervised();
    supervisor.submitted("7");
    supervisor.producerStatus({
      state: "failing",
      details: { signal: 15, stderr: "interrupted" },
    });
    assertEquals(wanted, ["investigate"]);
    supervisor.report(ACTIVE);
    supervisor.report(fated(code));
    const { code: told, details } = await end();
    assertEquals(told, code);
    assertEquals(details?.stderr, "interrupted");
  });
}

Deno.test("supervisor - completed without done is no success", async () => {
  const { supervisor, end } = supervised({ output: "its last words" });
  supervisor.submitted("7");
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.producerStatus({ state: "disconnected" });
  supervisor.report(COMPLETED);
  const { code, details } = await end();
  assertEquals(code, "producer_lost");
  assertEquals(details?.output, "its last words");
});

Deno.test("supervisor - a job that the scheduler forgot is lost, on its second word", async () => {
  const { supervisor, wanted, end } = supervised();
  supervisor.submitted("7");
  supervisor.report(UNKNOWN);
  assertEquals(wanted, ["investigate"]);
  supervisor.report(UNKNOWN);
  const { code, message } = await end();
  assertEquals(code, "producer_lost");
  assertStringIncludes(message!, "forgotten job 7");
});

Deno.test("supervisor - a requeued job is waited for, and its last words are void", () => {
  const { supervisor, wanted, statuses } = supervised();
  supervisor.submitted("7");
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.producerStatus({ state: "failing", details: { signal: 15 } });
  supervisor.report({ ...PENDING, reason: "BeginTime", restarts: 1 });
  supervisor.stop();
  assertEquals(wanted, ["rest", "investigate", "wait", "stop"]);
  assertEquals(statuses.at(-1), {
    type: "status",
    state: "queued",
    jobId: "7",
    reason: "BeginTime",
    attempt: 2,
  });
});

Deno.test("supervisor - never startable is believed when it was seen twice", async () => {
  const { supervisor, wanted, end } = supervised();
  const never = { ...PENDING, reason: "PartitionConfig", neverStartable: true };
  supervisor.submitted("7");
  supervisor.report(never);
  supervisor.report({ ...PENDING, reason: "PartitionDown" });
  supervisor.report(never);
  assertEquals(wanted.includes("cancel 7"), false);
  supervisor.report(never);
  const { code, details } = await end();
  assertEquals(code, "never_startable");
  assertEquals(details?.reason, "PartitionConfig");
  assertEquals(wanted.includes("cancel 7"), true);
});

Deno.test("supervisor - a status is told when something is new", () => {
  const { supervisor, statuses } = supervised();
  supervisor.submitted("7");
  supervisor.report({ ...PENDING, reason: "Priority", eta: 1 });
  supervisor.report({ ...PENDING, reason: "Priority", eta: 2 });
  supervisor.report({ ...PENDING, reason: "Resources", eta: 2 });
  supervisor.stop();
  assertEquals(statuses.map(({ reason }) => reason), ["Priority", "Resources"]);
});

Deno.test("supervisor - a job that runs unheard says what may be wrong", () => {
  const { supervisor, statuses } = supervised();
  supervisor.submitted("7");
  supervisor.report(ACTIVE);
  supervisor.stop();
  assertStringIncludes(statuses.at(-1)?.reason ?? "", "jobUrl");
});

Deno.test("supervisor - a controller out of reach is told and waited for", () => {
  const { supervisor, statuses } = supervised();
  supervisor.submitted("7");
  supervisor.trouble(new Error("Unable to contact slurm controller"));
  supervisor.stop();
  assertStringIncludes(statuses[0].reason!, "Unable to contact");
});

Deno.test("supervisor - a cancel before the submission reaches the job that is then there", async () => {
  const { supervisor, wanted, end } = supervised();
  assertEquals(
    await supervisor.cancelled({ by: "consumer", reason: "enough" }),
    "recorded",
  );
  supervisor.submitted("7");
  const { code, details } = await end();
  assertEquals(code, "cancelled");
  assertEquals(details, { cancelled: true, by: "consumer", jobId: "7" });
  assertEquals(wanted.includes("cancel 7"), true);
});

Deno.test("supervisor - a cancel that the scheduler refuses is tried again", async () => {
  let refusals = 2;
  const { supervisor, wanted, end } = supervised({
    cancelJob: () => refusals-- > 0 ? Promise.reject(new Error("busy")) : Promise.resolve(),
  });
  supervisor.submitted("7");
  assertEquals(await supervisor.cancelled({ by: "consumer" }), "recorded");
  assertEquals((await end()).code, "cancelled");
  assertEquals(wanted.filter((what) => what === "cancel 7").length, 3);
});

Deno.test("supervisor - an end that the relay can't take now is set later", async () => {
  let cuts = 2;
  const { supervisor, end } = supervised({
    end: () =>
      cuts-- > 0 ? Promise.reject(new StreamError("unreachable", "cut")) : Promise.resolve(),
  });
  supervisor.submitted("7");
  supervisor.report(fated("oom"));
  assertEquals((await end()).code, "oom");
});

Deno.test("supervisor - what an earlier attempt said is no part of a later one's end", async () => {
  const { supervisor, end } = supervised();
  supervisor.submitted("7");
  supervisor.report({ phase: "pending", state: "PENDING" });
  supervisor.producerStatus({ state: "connected", epoch: 1 });
  supervisor.producerStatus({ state: "failing", details: { signal: 15, stderr: "stopped" } });
  // it was requeued, and started again, between two questions
  supervisor.report({
    phase: "ended",
    state: "FAILED",
    restarts: 1,
    fate: { code: "job_failed", message: "The job ended with exit code 1", details: {} },
  });
  const { message, details } = await end();
  assertEquals(message, "The job ended with exit code 1");
  assertEquals(details, { jobId: "7" });
});

Deno.test("supervisor - a job that was killed may be told why in its output: for its memory", async () => {
  const { supervisor, end } = supervised({
    output: "go\nslurmstepd-n1: error: Exceeded job memory limit\n",
  });
  supervisor.submitted("7");
  supervisor.producerStatus({ state: "failing", details: { signal: 9, stderr: "words" } });
  supervisor.report({
    phase: "ended",
    state: "FAILED",
    fate: { code: "job_failed", message: "Killed by signal 9", details: { signal: 9 } },
  });
  const { code, details } = await end();
  assertEquals(code, "oom");
  assertEquals(details?.stderr, "words");
});

Deno.test("supervisor - an expected start is told when it becomes known, and when it moves by much", () => {
  const { supervisor, statuses } = supervised();
  supervisor.submitted("7");
  for (const eta of [undefined, 1_000_000, 1_010_000, 1_900_000]) {
    supervisor.report({ phase: "pending", state: "PENDING", eta });
  }
  supervisor.stop();
  assertEquals(statuses.map(({ eta }) => eta), [undefined, 1_000_000, 1_900_000]);
});

Deno.test("supervisor - a producer that speaks before its job's id is known is told of after it, once", () => {
  const { supervisor, statuses } = supervised({ announceRunning: true });
  supervisor.producerStatus({ state: "connected" });
  assertEquals(statuses, []);
  supervisor.submitted("7");
  const running = { type: "status", state: "running", jobId: "7" } as const;
  assertEquals(statuses, [running]);
  supervisor.producerStatus({ state: "disconnected" });
  supervisor.producerStatus({ state: "connected" });
  assertEquals(statuses, [running]);
  supervisor.stop();
});
