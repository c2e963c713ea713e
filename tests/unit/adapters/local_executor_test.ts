import { assertEquals, assertRejects } from "@std/assert";
import { type LocalConfig, LocalExecutor } from "../../../adapters/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { executorContract, until } from "../../contract/executor_contract.ts";
import { executorFateContract } from "../../contract/executor_fate_contract.ts";
import { executorLoadContract } from "../../contract/executor_load_contract.ts";
import { executorFixture } from "../../systems/executor_fixture.ts";

const contract = { name: "local", make: (config: LocalConfig) => new LocalExecutor(config) };
executorContract(contract);
executorLoadContract(contract);
executorFateContract({ ...contract, texts: ["name", "output", "error"] });

Deno.test("local - leaving the stream ends the job", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const stream = new LocalExecutor(config).stream({
    text: `#!/bin/bash\ntrap ': > ${dir}/ended' EXIT\necho go\nsleep 60 & wait`,
  });
  for await (const _ of stream) break;
  assertEquals((await stream.result).reason, "cancelled");
  await until(`${dir}/ended`);
});

Deno.test("local - a whole process group is ended, deaf ones too", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const stream = new LocalExecutor({ ...config, killAfter: 200 }).stream({
    text:
      `#!/bin/bash\ntrap '' TERM\n(trap '' TERM; echo $BASHPID > ${dir}/pid; sleep 60) &\necho go\nwait`,
  });
  for await (const _ of stream) await stream.cancel();
  assertEquals((await stream.result).reason, "cancelled");
  await until(`${dir}/pid`);
  const pid = Number(await Deno.readTextFile(`${dir}/pid`));
  while (await running(pid)) await new Promise((r) => setTimeout(r, 20));
});

Deno.test("local - output and error files hold what was printed", async () => {
  await using fixture = await executorFixture();
  const { config, dir } = fixture;
  const executor = new LocalExecutor({
    ...config,
    output: "out.txt",
    error: "err.txt",
  });
  await executor.stream({ text: "#!/bin/bash\necho out\necho err >&2" }).text();
  assertEquals(await Deno.readTextFile(`${dir}/out.txt`), "out\n");
  assertEquals(await Deno.readTextFile(`${dir}/err.txt`), "err\n");
});

Deno.test("local - a folder that isn't there is named", async () => {
  await using fixture = await executorFixture();
  const executor = new LocalExecutor({
    ...fixture.config,
    workdir: "/no/such/folder",
  });
  await assertRejects(
    () => executor.stream({ text: "echo hi" }).text(),
    StreamError,
    "/no/such/folder",
  );
});

async function running(pid: number): Promise<boolean> {
  try {
    return !/^State:\s*Z/m.test(await Deno.readTextFile(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}
