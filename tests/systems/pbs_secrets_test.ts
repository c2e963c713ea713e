/** What others see of a job of PBS. @module */
import { assert, assertEquals } from "@std/assert";
import {
  type PbsConfig,
  PbsExecutor,
  type Submission,
  type Submitted,
} from "../../adapters/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { pbsSuite } from "./pbs_suite.ts";
import { assertUnseen, PROMPT, secretsIn } from "./seen_secrets.ts";

const bin = Deno.env.get("STREAMRELAY_TEST_PBS");
const OWN = "the-submitter's-own-token";

/** Keeps the job script, which holds the secrets that are looked for. */
class Watched extends PbsExecutor {
  jobScript = "";
  protected override submitJob(submission: Submission<PbsConfig>): Promise<Submitted> {
    this.jobScript = submission.jobScript;
    return super.submitJob(submission);
  }
}

pbsSuite(import.meta.url, needs("pbs"), (ignore) => {
  for (const credentials of ["script", "file"] as const) {
    Deno.test({
      name:
        `pbs secrets - qstat -f, ps and logs show none, not even with -V, credentials: ${credentials}`,
      ignore,
      async fn() {
        await using fixture = await executorFixture();
        const { config, dir, secret } = fixture;
        const before = Deno.env.get("STREAMRELAY_TOKEN");
        Deno.env.set("STREAMRELAY_TOKEN", OWN);
        Deno.env.set("PLAINLY_SHOWN", "to-everybody");
        try {
          const credentialsFolder = `${dir}/credentials`;
          const executor = new Watched({
            ...config,
            bin,
            credentials,
            credentialsFolder,
            extra: ["-V"],
          });
          const stream = executor.stream({
            text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\ncat`,
          }, PROMPT);
          let text = "";
          for await (const token of stream) {
            if (text === "") {
              const holder = credentials === "script"
                ? executor.jobScript
                : await onlyFile(credentialsFolder);
              const hidden = [...secretsIn(holder), secret, PROMPT, OWN];
              const inScript = credentials === "script" ? hidden.slice(2) : hidden;
              for (const one of inScript) assert(!executor.jobScript.includes(one), one);
              const { id = "" } = stream.job;
              await assertUnseen(
                [
                  [`${bin}/qstat`, "-x", "-f", "-F", "json", id],
                  [`${bin}/qstat`, "-f", "-F", "json", id],
                  ["ps", "axww", "-o", "args"],
                  ...await logs(),
                ],
                hidden,
                "to-everybody",
              );
              await Deno.writeTextFile(`${dir}/go`, "");
            }
            text += token;
          }
          assertEquals(text, `go\n${PROMPT}`);
          // neither does the job's own output file, beyond what the program itself printed
          for (const { name, isFile } of Deno.readDirSync(dir)) {
            if (!isFile) continue;
            const kept = await Deno.readTextFile(`${dir}/${name}`);
            for (const one of [secret, OWN, ...secretsInScript(executor)]) {
              assert(!kept.includes(one));
            }
          }
          if (credentials === "file") assertEquals([...Deno.readDirSync(credentialsFolder)], []);
        } finally {
          Deno.env.delete("PLAINLY_SHOWN");
          if (before === undefined) Deno.env.delete("STREAMRELAY_TOKEN");
          else Deno.env.set("STREAMRELAY_TOKEN", before);
        }
      },
    });
  }
});

function secretsInScript({ jobScript }: Watched): string[] {
  return /eyJ[\w-]+\./.test(jobScript) ? secretsIn(jobScript) : [];
}

async function onlyFile(folder: string): Promise<string> {
  const [{ name }] = await Array.fromAsync(Deno.readDir(folder));
  assertEquals((await Deno.stat(`${folder}/${name}`)).mode! & 0o777, 0o600);
  return await Deno.readTextFile(`${folder}/${name}`);
}

/** The daemons' logs, of a real one. */
async function logs(): Promise<string[][]> {
  if (Deno.env.get("STREAMRELAY_TEST_PBS_REAL") === undefined) return [];
  const conf = await Deno.readTextFile(Deno.env.get("PBS_CONF_FILE")!);
  const home = /^PBS_HOME=(.*)$/m.exec(conf)![1];
  return [[
    "bash",
    "-c",
    `cat ${home}/{server,mom,sched,comm}_logs/* ${home}/server_priv/accounting/*`,
  ]];
}
