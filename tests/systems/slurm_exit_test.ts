import { assertEquals } from "@std/assert";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm");
const ADAPTERS = new URL("../../adapters/mod.ts", import.meta.url).href;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

for (
  const [name, body, printed] of [
    ["was read", "for await (const token of stream) print(token);", "go\n"],
    ["was left", "for await (const token of stream) { print(token); break; }", "go\n"],
    ["was only waited for", "print((await stream.result).reason);", "completed"],
    ["was cancelled", "for await (const _ of stream) await stream.cancel();", ""],
  ]
) {
  Deno.test({
    name: `slurm exit - nothing keeps the process of a stream that ${name}`,
    ignore,
    async fn() {
      await using fixture = await executorFixture();
      const program = `
import { SlurmExecutor } from ${JSON.stringify(ADAPTERS)};
const print = (text: string) =>
  Deno.stdout.writeSync(new TextEncoder().encode(text));
const stream = new SlurmExecutor(${JSON.stringify(fixture.config)})
  .stream({ text: "#!/bin/bash\\necho go\\nsleep 1" });
${body}`;
      const { code, stdout, stderr } = await runCommand(
        ["deno", "run", "-A", "--quiet", "--config", CONFIG, "-"],
        { stdin: program },
      );
      assertEquals({ code, stdout, stderr }, { code: 0, stdout: printed, stderr: "" });
    },
  });
}
