/** The job id that producers report. @module */
import { assert, assertEquals } from "@std/assert";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

const NONE = { STREAMRELAY_JOB_ID: "", SLURM_JOB_ID: "", PBS_JOBID: "" };
const CASES: [set: Record<string, string>, jobId: string | undefined][] = [
  [{}, undefined],
  [{ SLURM_JOB_ID: "8" }, "8"],
  [{ PBS_JOBID: "9.host" }, "9.host"],
  [{ SLURM_JOB_ID: "8", PBS_JOBID: "9.host" }, "8"],
  [{ STREAMRELAY_JOB_ID: "7_3", SLURM_JOB_ID: "8", PBS_JOBID: "9.host" }, "7_3"],
  [{ STREAMRELAY_JOB_ID: '"q"\\n\t$(x)é' }, '"q"\\n\t$(x)é'],
];

for (const kind of PRODUCER_KINDS) {
  Deno.test({
    name: `producer, ${kind.name} - reports STREAMRELAY_JOB_ID before the scheduler's own variable`,
    ignore: kind.ignore,
    async fn() {
      for (const [set, jobId] of CASES) {
        await using open = await openChannel();
        const producer = await runProducer(kind, open, ["pipe", "--eof-is-done"], {
          ...NONE,
          ...set,
        });
        await producer.conclude();
        const { code, stderr } = await producer.ended;
        assertEquals({ code, stderr }, { code: 0, stderr: "" });
        const [running] = await open.events;
        assert(running.type === "status" && running.state === "running");
        assertEquals(running.jobId, jobId);
      }
    },
  });
}
