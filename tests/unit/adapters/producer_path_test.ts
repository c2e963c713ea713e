/** A producer that lies on a shared file system: the compiled one, or the bundle. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { WRAPPER_EXITS } from "../../../adapters/job/job_script.ts";
import { compileProducer } from "../../tools/compile_producer.ts";
import { bareNode } from "../../systems/bare_node.ts";
import { needs } from "../../systems/needs.ts";
import { onPath } from "../../systems/on_path.ts";
import { runCommand } from "../../systems/run_command.ts";
import { openChannel } from "./producers/open_channel.ts";
import { failure, run } from "./run_job_script.ts";

const deno = Deno.execPath();
const node = needs("node22").ignore ? undefined : Deno.env.get("STREAMRELAY_TEST_NODE22");

/** A folder with the bundle under a name, and a PATH with one runtime at most, which tells of its use. */
async function shared(name: string, runtimes: Record<string, string>) {
  const folder = await Deno.makeTempDir();
  const bundle = new URL("../../../adapters/producers/streamrelay-producer.js", import.meta.url);
  await Deno.copyFile(bundle, `${folder}/${name}`);
  const PATH = await bareNode(`${folder}/bin`, []);
  for (const [program, target] of Object.entries(runtimes)) {
    await Deno.writeTextFile(
      `${PATH}/${program}`,
      `#!/bin/bash\necho "${program} $*" >>'${folder}/used'\nexec '${target}' "$@"\n`,
      { mode: 0o755 },
    );
  }
  return {
    folder,
    path: `${folder}/${name}`,
    env: { PATH },
    used: () => Deno.readTextFile(`${folder}/used`),
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

for (const [kind, program] of [["deno", deno], ["node", node]] as const) {
  for (const name of ["streamrelay-producer.mjs", "streamrelay-producer.js"]) {
    Deno.test({
      name: `producer.path - ${name} is run by ${kind}`,
      ignore: program === undefined,
      async fn() {
        await using open = await openChannel();
        await using there = await shared(name, { [kind]: program! });
        const { code, stderr } = await run(open, {
          producer: { path: there.path, use: [] },
        }, there.env);
        assertEquals({ code, stderr }, { code: 0, stderr: "" });
        assertEquals((await open.events).at(-1)?.type, "done");
        assertEquals(open.received(), "hello\n");
        assertMatch(await there.used(), new RegExp(`^${kind} .*${name} pipe `, "m"));
      },
    });
  }
}

Deno.test("producer.path - a bundle without any runtime: the next producer, and what it needs", async () => {
  await using open = await openChannel();
  await using there = await shared("streamrelay-producer.mjs", { curl: onPath("curl")! });
  const { code, stderr } = await run(open, {
    producer: { path: there.path, use: ["curl"] },
  }, there.env);
  assertEquals(code, 0);
  assertMatch(
    stderr,
    /streamrelay-producer\.mjs can't be used on \S+ \(it needs deno >= 2 or node >= 22\); looking for another one\n$/,
  );
  assertEquals(open.received(), "hello\n");
});

// A shell wrapper in the compiled program's place: what matters is that it is run as it is.
Deno.test("producer.path - a program is run as it is", async () => {
  await using open = await openChannel();
  await using there = await shared("bundle.mjs", {});
  const program = `${there.folder}/streamrelay-producer`;
  await Deno.writeTextFile(
    program,
    `#!/bin/bash\necho "$1" >>'${there.folder}/used'\nexec '${deno}' run -A --quiet '${there.path}' "$@"\n`,
    { mode: 0o755 },
  );
  const { code, stderr } = await run(open, { producer: { path: program, use: [] } }, there.env);
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(open.received(), "hello\n");
  assertEquals(await there.used(), "check\ninput\npipe\n");
});

Deno.test("producer.path - a path that isn't there ends the stream in one sentence", async () => {
  await using open = await openChannel();
  const { code, stdout } = await run(open, { producer: { path: "/nowhere/producer" } });
  assertEquals({ code, stdout }, { code: WRAPPER_EXITS.noProducer, stdout: "" });
  const { message, details } = await failure(open);
  assertMatch(
    message,
    /^The program ended with exit code 86: streamrelay: there is no producer \/nowhere\/producer on \S+, expected producer\.path to name a file that this host sees$/,
  );
  assertEquals(details?.exitCode, WRAPPER_EXITS.noProducer);
});

Deno.test("deno task compile - in a closed network: it says so, and makes the bundle", async () => {
  await using there = await shared("unused.mjs", {});
  const root = new URL("../../../", import.meta.url).pathname;
  const { code, stdout, stderr } = await runCommand([
    deno,
    ...["run", "-A", "--quiet", `${root}tests/tools/compile_producer.ts`, `${there.folder}/dist`],
  ], {
    env: {
      // nothing kept from before, and no way out
      DENO_DIR: `${there.folder}/deno`,
      https_proxy: "http://127.0.0.1:1",
      HTTPS_PROXY: "http://127.0.0.1:1",
    },
  });
  assertEquals(code, 0, stderr);
  const bundle = `${there.folder}/dist/streamrelay-producer.mjs`;
  assertMatch(
    stdout,
    /^No executable was built: Deno's runtime for executables can't be downloaded from https:\/\/\S+ \(.+\); built the bundle \S+ instead, which deno or node >= 22 runs on a node: name it with producer: \{ path \}\n$/,
  );
  assertStringIncludes(stdout, bundle);
  await using open = await openChannel();
  const job = await run(open, { producer: { path: bundle, use: [] } });
  assertEquals(job.code, 0, job.stderr);
  assertEquals(open.received(), "hello\n");
});

Deno.test("deno task compile - whatever it can make here streams", async () => {
  const folder = await Deno.makeTempDir();
  const { files, problem } = await compileProducer(folder);
  const machine = Deno.build.arch;
  const path = problem === undefined
    ? files.find((file) => file.includes(`linux-${machine}/`))!
    : files[0];
  assert(problem === undefined ? files.length === 2 : path.endsWith(".mjs"));
  if (Deno.build.os === "linux") {
    await using open = await openChannel();
    const { code, stderr } = await run(open, { producer: { path, use: [] } });
    assertEquals(code, 0, stderr);
    assertEquals(open.received(), "hello\n");
  }
  await Deno.remove(folder, { recursive: true });
});
