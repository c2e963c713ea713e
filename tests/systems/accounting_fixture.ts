/** A relay, and the Slurm cluster that keeps accounts. @module */
import { until } from "../tools/until.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { runCommand } from "./run_command.ts";

/** What a test of accounting works with. */
export interface AccountingFixture extends ExecutorFixture {
  /** Runs one of Slurm's programs; what it printed, trimmed. */
  slurm(...command: string[]): Promise<string>;
  /** A job's state, as `squeue` tells it. */
  stateOf(jobId: string): Promise<string>;
  /** Lets a job that was requeued start again now. */
  startAgain(jobId: string): Promise<void>;
}

/**
 * Runs a test on the cluster that `slurmdbd` gives.
 *
 * @param test The test.
 */
export async function onAccounts(
  test: (fixture: AccountingFixture) => Promise<void>,
): Promise<void> {
  await using fixture = await executorFixture();
  const conf = Deno.env.get("SLURM_CONF");
  Deno.env.set("SLURM_CONF", Deno.env.get("STREAMRELAY_TEST_SLURMDBD")!);
  const slurm = async (...command: string[]) => (await runCommand(command)).stdout.trim();
  const stateOf = (jobId: string) => slurm("squeue", "-h", "-t", "all", "-j", jobId, "-o", "%T");
  try {
    await test({
      ...fixture,
      // its site archives scripts, so that credentials go by files
      config: { ...fixture.config, credentialsFolder: `${fixture.dir}/credentials` },
      slurm,
      stateOf,
      async startAgain(jobId) {
        await until("the job to be queued", async () => (await stateOf(jobId)) === "PENDING");
        // of a job whose node failed the former attempt may still be there, and the node would be drained
        await until(
          "the former attempt to go",
          async () => (await runCommand(["scontrol", "listpids", jobId])).code !== 0,
        );
        // within the second of the kill slurmd would take the new start for the old one
        await slurm("scontrol", "update", `JobId=${jobId}`, "StartTime=now+2");
      },
    });
  } finally {
    if (conf === undefined) Deno.env.delete("SLURM_CONF");
    else Deno.env.set("SLURM_CONF", conf);
  }
}
