/** The private Slurm cluster does what the suites count on. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { startSlurmCluster } from "./slurm_cluster.ts";

const { ignore } = needs("slurm");
const otherUser = Deno.env.get("STREAMRELAY_TEST_OTHER_USER");

async function ok(
  command: string[],
  options: { stdin?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const { code, stdout, stderr } = await runCommand(command, options);
  assertEquals(code, 0, `${command.join(" ")}: ${stderr}`);
  return stdout.trim();
}

async function submit(script: string, ...options: string[]): Promise<string> {
  return await ok(["sbatch", "--parsable", "-o", "/dev/null", ...options], {
    stdin: `#!/bin/bash\n${script}\n`,
  });
}

async function shown(id: string): Promise<string> {
  return await ok(["squeue", "-h", "-t", "all", "-j", id, "-o", "%T|%r"]);
}

Deno.test({
  name: "slurm - runs a job from stdin and keeps its exit code",
  ignore,
  async fn() {
    const id = await submit("exit 7");
    await until(
      "the job has failed",
      async () => (await shown(id)).startsWith("FAILED"),
    );
    assertStringIncludes(
      await ok(["scontrol", "show", "job", "-o", id]),
      "ExitCode=7:0",
    );
  },
});

Deno.test({
  name: "slurm - runs more jobs at a time than the machine has cores",
  ignore,
  async fn() {
    const ids = await Promise.all(
      Array.from({ length: 8 }, () => submit("sleep 60")),
    );
    await until("all eight run", async () => {
      const states = await ok(
        ["squeue", "-h", "-t", "R", "-j", ids.join(","), "-o", "%i"],
      );
      return states.split("\n").length === ids.length;
    });
    await ok(["scancel", ...ids]);
  },
});

Deno.test({
  name: "slurm - a job too long for the tiny partition is told so",
  ignore,
  async fn() {
    const id = await submit("true", "-p", "tiny", "-t", "5");
    await until(
      "the reason is the limit",
      async () => await shown(id) === "PENDING|PartitionTimeLimit",
    );
    await ok(["scancel", id]);
  },
});

Deno.test({
  name: "slurm - another user sees the job only where PrivateData is unset",
  ignore: ignore || !otherUser,
  async fn() {
    const asOther = (conf: string, id: string) =>
      runCommand([
        "su",
        "-s",
        "/bin/sh",
        otherUser ?? "",
        "-c",
        `cd / && SLURM_CONF=${conf} squeue -h -o %i -j ${id}`,
      ]);
    const id = await submit("true", "--hold");
    const hidden = await asOther(Deno.env.get("SLURM_CONF") ?? "", id);
    assertEquals(hidden.stdout.trim(), "");
    await ok(["scancel", id]);

    const open = await startSlurmCluster({ privateData: "" });
    try {
      const job = await ok(["sbatch", "--parsable", "--hold"], {
        stdin: "#!/bin/bash\ntrue\n",
        env: { SLURM_CONF: open.conf },
      });
      assertEquals((await asOther(open.conf, job)).stdout.trim(), job);
    } finally {
      await open.stop();
    }
  },
});
