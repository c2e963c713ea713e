/** Nothing secret in what a site archives of its jobs. @module */
import { assert, assertEquals } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { until } from "../tools/until.ts";
import { onAccounts } from "./accounting_fixture.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("slurmdbd");
const other = Deno.env.get("STREAMRELAY_TEST_OTHER_USER") ?? "";
const PROMPT = "the-prompt-that-nobody-else-may-see";

Deno.test({
  name: "slurm archive - scripts, environments and submit lines that are kept hold no secret",
  ignore,
  fn: () =>
    onAccounts(async ({ config, dir, secret, slurm }) => {
      const credentialsFolder = `${dir}/credentials`;
      Deno.env.set("STREAMRELAY_TOKEN", secret);
      Deno.env.set("RELAY_SECRET", secret);
      try {
        // where scripts are archived, "file" is what is done unless something else is asked for
        const stream = new SlurmExecutor({ ...config, credentialsFolder }).stream(
          { text: `#!/bin/bash\necho go\nuntil [ -e ${dir}/go ]; do sleep 0.05; done\ncat` },
          PROMPT,
        );
        const reader = stream.toReadableStream().getReader();
        await reader.read();
        const [file] = await Array.fromAsync(Deno.readDir(credentialsFolder));
        const held = await Deno.readTextFile(`${credentialsFolder}/${file.name}`);
        const hidden = [...held.matchAll(/='?([^'\n]+)/g)].map(([, value]) => value);
        assertEquals(hidden.length, 2, "a token and a key");

        const jobId = stream.job.id!;
        await Deno.writeTextFile(`${dir}/go`, "");
        while (!(await reader.read()).done);
        const archived = await until("the script to be archived", async () => {
          const text = await slurm("sacct", "-j", jobId, "--batch-script");
          return text.includes("sr_main") ? text : undefined;
        });
        const seen = [archived];
        for (const what of [["--env-vars"], ["-P", "-o", "ALL"], ["-P", "-o", "SubmitLine"]]) {
          for (const as of [[], ["runuser", "-u", other, "--"]]) {
            seen.push(await slurm(...as, "sacct", "-D", "-j", jobId, ...what));
          }
        }
        assert(seen.some((text) => text.includes("sbatch --parsable")), "the submit line");
        assert(seen.some((text) => text.includes("PATH=")), "the environment");
        for (const text of seen) {
          for (const each of [...hidden, secret, PROMPT]) {
            assert(!text.includes(each), `${each} shows in ${text}`);
          }
        }
      } finally {
        Deno.env.delete("STREAMRELAY_TOKEN");
        Deno.env.delete("RELAY_SECRET");
      }
    }),
});
