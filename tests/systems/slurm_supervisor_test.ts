/** Whoever submitted a job is killed: what becomes of it. @module */
import { assertEquals } from "@std/assert";
import { findJobRecord, SlurmExecutor, type SubmittedJob } from "../../adapters/mod.ts";
import { ControlClient } from "../../client/mod.ts";
import type { StreamEvent } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");

/** A supervisor's process. */
interface Supervisor {
  /** Reads on until something happens that is asked for. */
  saw(wanted: (event: StreamEvent) => boolean): Promise<SubmittedJob>;
  /** Kills it, and resolves once the relay has noticed. */
  kill(job: SubmittedJob): Promise<void>;
}

async function supervise(
  { config, dir, relay, secret }: ExecutorFixture,
  script: string,
  more: object = {},
): Promise<Supervisor> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./supervisor_child.ts", import.meta.url).pathname],
    env: { STREAMRELAY_STATE: `${dir}/state` },
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  const orders = { script, config: { ...config, record: true, ...more } };
  await writer.write(new TextEncoder().encode(JSON.stringify(orders)));
  await writer.close();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  const control = new ControlClient({ url: relay.url, token: secret });
  return {
    async saw(wanted) {
      for (;;) {
        const { value, done } = await lines.read();
        if (done) throw new Error(`The supervisor has ended; it said ${rest}`);
        rest += value;
        for (const line of rest.split("\n").slice(0, -1)) {
          const event = JSON.parse(line);
          if (wanted(event)) return (await findJobRecord(event.job))!;
        }
      }
    },
    async kill({ channel }) {
      const { supervisors } = await control.info(channel);
      child.kill("SIGKILL");
      await child.status;
      await lines.cancel();
      await until(
        "the relay notices",
        async () => (await control.info(channel)).supervisors < supervisors,
      );
    },
  };
}

const isQueued = (event: StreamEvent) => event.type === "status" && event.state === "queued";
const isToken = (event: StreamEvent) => event.type === "token";

async function withFixture(task: (fixture: ExecutorFixture) => Promise<void>): Promise<void> {
  await using fixture = await executorFixture();
  Deno.env.set("STREAMRELAY_STATE", `${fixture.dir}/state`);
  try {
    await task(fixture);
  } finally {
    Deno.env.delete("STREAMRELAY_STATE");
  }
}

async function stateOf({ jobId }: SubmittedJob): Promise<string> {
  const { stdout } = await runCommand(["squeue", "-h", "-t", "all", "-j", jobId, "-o", "%T"]);
  return stdout.trim();
}

Deno.test({
  name: "slurm supervisor - killed while its job is pending: the job is kept, and found again",
  ignore,
  fn: () =>
    withFixture(async (fixture) => {
      const supervisor = await supervise(fixture, "#!/bin/bash\necho kept", {
        extra: ["--hold"],
        onDisconnect: { running: 0.1 },
      });
      const job = await supervisor.saw(isQueued);
      await supervisor.kill(job);
      assertEquals(await stateOf(job), "PENDING");
      const stream = new SlurmExecutor(fixture.config).attach(job);
      const text = stream.text();
      await runCommand(["scontrol", "release", job.jobId]);
      assertEquals(await text, "kept\n");
      assertEquals((await stream.result).reason, "completed");
    }),
});

Deno.test({
  name: "slurm supervisor - killed while its job is running: cancelled after its seconds",
  ignore,
  fn: () =>
    withFixture(async (fixture) => {
      const supervisor = await supervise(fixture, "#!/bin/bash\necho go\nexec sleep 60", {
        onDisconnect: { running: 0.2 },
      });
      const job = await supervisor.saw(isToken);
      await supervisor.kill(job);
      await until(
        "the job is gone",
        async () => !/^(RUNNING|COMPLETING)$/.test(await stateOf(job)),
      );
      const { reason } = await new SlurmExecutor(fixture.config).attach(job).drain();
      assertEquals(reason, "cancelled");
    }),
});

Deno.test({
  name: "slurm supervisor - killed while its job is pending: once it runs, it has its seconds",
  ignore,
  fn: () =>
    withFixture(async (fixture) => {
      const supervisor = await supervise(fixture, "#!/bin/bash\necho go\nexec sleep 60", {
        extra: ["--hold"],
        onDisconnect: { running: 0.2 },
      });
      const job = await supervisor.saw(isQueued);
      await supervisor.kill(job);
      await runCommand(["scontrol", "release", job.jobId]);
      await until(
        "the job has begun and is gone",
        async () => !/^(PENDING|RUNNING|COMPLETING)$/.test(await stateOf(job)),
      );
      const stream = new SlurmExecutor(fixture.config).attach(job);
      assertEquals((await stream.drain()).reason, "cancelled");
    }),
});

Deno.test({
  name: "slurm supervisor - killed while its job is running: not cancelled where another attached",
  ignore,
  fn: () =>
    withFixture(async (fixture) => {
      const supervisor = await supervise(
        fixture,
        // longer than the seconds after which it would be cancelled
        `#!/bin/bash\necho go\nuntil [ -e ${fixture.dir}/go ]; do sleep 0.05; done\nsleep 1\necho end`,
        { onDisconnect: { running: 0.2 } },
      );
      const job = await supervisor.saw(isToken);
      const stream = new SlurmExecutor(fixture.config).attach(job);
      const text = stream.text();
      const control = new ControlClient({ url: job.relay, token: fixture.secret });
      await until(
        "both are there",
        async () => (await control.info(job.channel)).supervisors === 2,
      );
      await supervisor.kill(job);
      await Deno.writeTextFile(`${fixture.dir}/go`, "");
      assertEquals(await text, "go\nend\n");
      const { reason } = await stream.result;
      assertEquals(reason, "completed");
      assertEquals((await control.info(job.channel)).cancel, undefined);
    }),
});
