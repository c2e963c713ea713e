/** What others see of a task of Globus Compute, and what its functions are written in. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { callFunction, RUN_SCRIPT } from "../../adapters/globus/remote_functions.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { globusFixture } from "./globus_fixture.ts";
import { onPath } from "./on_path.ts";
import { runCommand } from "./run_command.ts";

const ignore = onPath("python3") === undefined;
const PROMPT = "the-prompt-that-nobody-else-may-see";

Deno.test({
  name: "globus secrets - no token, key or prompt stands in an argument list of the node",
  ignore,
  async fn() {
    await using fixture = await globusFixture();
    const { make, dir } = fixture;
    const job = await make().submit({
      text: `#!/bin/bash\n: > ${dir}/began\nuntil [ -e ${dir}/go ]; do sleep 0.05; done`,
    }, PROMPT);
    await until("the start of the job", () => Deno.stat(`${dir}/began`).catch(() => undefined));
    const { stdout } = await runCommand(["ps", "axww", "-o", "args"]);
    await Deno.writeTextFile(`${dir}/go`, "");
    assertStringIncludes(stdout, "worker.py");
    for (const secret of [job.tokens.produce, job.key!, PROMPT]) assert(!stdout.includes(secret));
    assertEquals((await make().attach(job).result).reason, "completed");
  },
});

Deno.test({
  name:
    "globus secrets - what is kept here is readable by this user alone, and holds no secret of a client",
  ignore,
  async fn() {
    await using fixture = await globusFixture();
    const { make, state, service } = fixture;
    const job = await make().submit({ text: "echo hi" });
    assertEquals(await make().attach(job).text(), "hi\n");
    const files = [...Deno.readDirSync(`${state}/globus`)].map(({ name }) =>
      `${state}/globus/${name}`
    );
    assertEquals(files.length, 1);
    assertEquals(Deno.statSync(`${state}/globus`).mode! & 0o777, 0o700);
    assertEquals(Deno.statSync(files[0]).mode! & 0o777, 0o600);
    const kept = await Deno.readTextFile(files[0]);
    for (const { authorization } of service.requests) {
      assert(!kept.includes(authorization.replace("Bearer ", "")));
    }
    assert(!kept.includes(service.client.clientSecret));
  },
});

Deno.test({
  name: "globus secrets - nothing the job prints goes to the service",
  ignore,
  async fn() {
    await using fixture = await globusFixture();
    const { make, service } = fixture;
    const error = await assertRejects(
      () =>
        make().stream(
          { text: "#!/bin/bash\nread word; echo $word; echo $word >&2; exit 7" },
          PROMPT,
        )
          .text(),
      StreamError,
    );
    assertStringIncludes(String(error.details.stderr), PROMPT);
    await service.idle();
    assertEquals(service.results.length, 1);
    assert(!JSON.stringify([service.results, service.requests]).includes(PROMPT));
  },
});

Deno.test({
  name: "globus functions - they are Python 3.6",
  ignore,
  async fn() {
    const parse = "import ast, sys\n" +
      "tree = ast.parse(sys.stdin.read(), feature_version=(3, 6))\n" +
      "print(*(node.name for node in tree.body if isinstance(node, ast.FunctionDef)))";
    for (const { source, name } of [RUN_SCRIPT, callFunction("def infer(**_): pass")]) {
      const { stdout, stderr } = await runCommand(["python3", "-c", parse], { stdin: source });
      assertEquals(stderr, "");
      assert(stdout.trim().split(" ").includes(name));
    }
  },
});
