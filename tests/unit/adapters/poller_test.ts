import { assert, assertEquals } from "@std/assert";
import type { JobReport } from "../../../adapters/job/job_report.ts";
import { Poller } from "../../../adapters/poller.ts";
import { DEFAULT_TIMINGS } from "../../../adapters/timings.ts";

const QUICK = {
  ...DEFAULT_TIMINGS,
  pollEvery: 20,
  pollAtMost: 20,
  pollFirst: 5,
  fateAt: [5, 10],
  fateEvery: 15,
  gather: 0,
};
const PENDING: JobReport = { phase: "pending", state: "PENDING" };

/** A scheduler that remembers the questions, and a way to wait for more of them. */
function scheduler(answer: (id: string) => JobReport | undefined) {
  const questions: string[][] = [];
  let wake = () => {};
  return {
    questions,
    ask(ids: readonly string[]): Promise<Map<string, JobReport>> {
      questions.push([...ids]);
      wake();
      const reports = new Map<string, JobReport>();
      for (const id of ids) {
        const report = answer(id);
        if (report) reports.set(id, report);
      }
      return Promise.resolve(reports);
    },
    async more(count: number): Promise<void> {
      const until = questions.length + count;
      while (questions.length < until) {
        await new Promise<void>((resolve) => wake = resolve);
      }
    },
  };
}

const ignore = { report() {}, trouble() {} };

Deno.test("poller - executors of one scheduler share one", () => {
  assert(Poller.of("a") === Poller.of("a"));
  assert(Poller.of("a") !== Poller.of("b"));
});

Deno.test("poller - jobs that wait are asked about in one call", async () => {
  const slurm = scheduler(() => PENDING);
  const poller = new Poller();
  const ids = Array.from({ length: 100 }, (_, i) => String(i));
  const watches = ids.map((id) => poller.watch(id, ignore, slurm.ask, QUICK));
  await slurm.more(3);
  for (const question of slurm.questions) assertEquals(question, ids);
  for (const watch of watches) watch.stop();
});

Deno.test("poller - a job that rests is not asked about", async () => {
  const slurm = scheduler(() => PENDING);
  const poller = new Poller();
  const rests = poller.watch("1", ignore, slurm.ask, QUICK);
  const waits = poller.watch("2", ignore, slurm.ask, QUICK);
  rests.rest();
  await slurm.more(2);
  for (const question of slurm.questions) assertEquals(question, ["2"]);
  rests.stop();
  waits.stop();
});

Deno.test("poller - a silent job is asked about again until it is stopped", async () => {
  const slurm = scheduler(() => undefined);
  const reports: JobReport[] = [];
  const poller = new Poller();
  const watch = poller.watch(
    "1",
    { report: (report) => reports.push(report), trouble() {} },
    slurm.ask,
    { ...QUICK, pollFirst: 100_000 },
  );
  watch.investigate();
  await slurm.more(4);
  watch.stop();
  assertEquals(reports[0], { phase: "unknown", state: "UNKNOWN" });
});

Deno.test("poller - questions about a silent job don't hasten the answers to one that waits", async () => {
  const slurm = scheduler(() => PENDING);
  let heard = 0;
  const poller = new Poller();
  const timings = { ...QUICK, pollEvery: 100_000, pollAtMost: 100_000 };
  const waits = poller.watch(
    "1",
    { report: () => heard++, trouble() {} },
    slurm.ask,
    timings,
  );
  const silent = poller.watch("2", ignore, slurm.ask, timings);
  silent.investigate();
  await slurm.more(5);
  assertEquals(heard, 1);
  waits.stop();
  silent.stop();
});

Deno.test("poller - a scheduler out of reach is told, and asked again", async () => {
  const troubles: string[] = [];
  let asked = 0;
  const poller = new Poller();
  await new Promise<void>((resolve) => {
    const watch = poller.watch(
      "1",
      {
        report() {
          watch.stop();
          resolve();
        },
        trouble: (error) => troubles.push(error.message),
      },
      () =>
        ++asked < 3
          ? Promise.reject(new Error("no controller"))
          : Promise.resolve(new Map([["1", PENDING]])),
      QUICK,
    );
  });
  assertEquals(troubles, ["no controller", "no controller"]);
});
