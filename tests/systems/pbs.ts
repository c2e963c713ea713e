/** PBS, for the suites that submit to it: a real OpenPBS where there is one, else a stand-in. @module */
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";

const REAL = "/opt/pbs/bin";

/**
 * Starts a one-node OpenPBS where `/opt/pbs` is found: Debian has no package of it. Elsewhere programs
 * stand in for it that really run jobs, and answer as a real one was seen to.
 *
 * @returns `STREAMRELAY_TEST_PBS`, the folder of the programs; `PBS_STAND_IN`, the folder of the
 * stand-in's jobs, or `STREAMRELAY_TEST_PBS_REAL`, the id of the process whose namespaces the real one
 * lives in, and `PBS_CONF_FILE`.
 */
export async function providePbs(): Promise<Provided> {
  try {
    await Deno.stat(`${REAL}/qsub`);
  } catch {
    return await standIn("there is no /opt/pbs");
  }
  if (Deno.uid() !== 0) return await standIn("only root can start the one in /opt/pbs");
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-pbs-" });
  const stop = async () => {
    await runCommand(["bash", script("pbs-down.sh"), dir, "--purge"]);
  };
  const { code, stderr } = await runCommand(["bash", script("pbs-up.sh"), dir]);
  if (code !== 0) {
    await stop();
    return skipped("pbs", `OpenPBS did not come up: ${stderr.trim()}`);
  }
  const version = await runCommand([`${REAL}/qstat`, "--version"]);
  return {
    name: "pbs",
    kind: "real",
    reason: version.stdout.trim(),
    env: {
      STREAMRELAY_TEST_PBS: REAL,
      STREAMRELAY_TEST_PBS_REAL: (await Deno.readTextFile(`${dir}/ns.pid`)).trim(),
      PBS_CONF_FILE: `${dir}/pbs.conf`,
    },
    stop,
  };
}

async function standIn(why: string): Promise<Provided> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-pbs-" });
  await Deno.mkdir(`${dir}/jobs`);
  await Deno.mkdir(`${dir}/bin`);
  for (const program of ["qsub", "qstat", "qdel", "qrls", "qrerun", "pbsnodes"]) {
    const path = `${dir}/bin/${program}`;
    const module = script(`pbs_stand_in/${program}.ts`);
    await Deno.writeTextFile(
      path,
      `#!/bin/sh\nPBS_STAND_IN=${dir} exec ${Deno.execPath()} run -A --quiet ${module} "$@"\n`,
    );
    await Deno.chmod(path, 0o755);
  }
  return {
    name: "pbs",
    kind: "stand-in",
    reason: `${why}; programs that run jobs and answer as OpenPBS 23.06 does`,
    env: { STREAMRELAY_TEST_PBS: `${dir}/bin`, PBS_STAND_IN: dir },
    async stop() {
      await Deno.remove(dir, { recursive: true });
    },
  };
}

function script(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
