/** The literal `deno run -A jsr:@streamrelay/cli`, against a stand-in of JSR and an empty cache. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startJsrStandIn } from "../tools/jsr_stand_in.ts";
import { person } from "./command_line.ts";

/** The npm packages in a folder of Deno's cache. */
async function cachedPackages(cache: string): Promise<string[]> {
  const found: string[] = [];
  for await (const registry of Deno.readDir(`${cache}/npm`)) {
    if (!registry.isDirectory) continue;
    const folder = `${cache}/npm/${registry.name}`;
    for await (const { name } of Deno.readDir(folder)) {
      const scoped = name.startsWith("@")
        ? await Array.fromAsync(Deno.readDir(`${folder}/${name}`))
        : [];
      found.push(...name.startsWith("@") ? scoped.map((one) => `${name}/${one.name}`) : [name]);
    }
  }
  return found.sort();
}

Deno.test("cli from jsr - serve fetches what it needs, and the demo its program", async () => {
  const jsr = await startJsrStandIn();
  const cache = await Deno.makeTempDir({ prefix: "streamrelay-cache-" });
  try {
    await using somebody = await person(
      [Deno.execPath(), "run", "-A", "--no-lock", "jsr:@streamrelay/cli"],
      { JSR_URL: jsr.url, DENO_DIR: cache },
    );

    const relay = somebody.start(["serve", "--port", "0"]);
    await relay.printed(/Relay at ws:\/\/127\.0\.0\.1:\d+/);
    assertEquals(await cachedPackages(cache), ["hono", "jose", "zod"]);
    assert(
      !jsr.asked.some((path) => path.includes("ws_transport")),
      "the ws transport was fetched",
    );
    relay.kill("SIGTERM");
    assertEquals((await relay.outcome).code, 0);

    const demo = await somebody.run(
      ["demo", "What is a tide?", "--executor", "local", "--tokens", "5"],
    );
    assertEquals(demo.code, 0, demo.stderr);
    assertMatch(demo.stdout, /\w+ \w+/);

    // on every other address it is ws that listens
    const open = somebody.start(["serve", "--port", "0", "--host", "0.0.0.0"]);
    await open.printed(/Relay at ws:\/\/0\.0\.0\.0:\d+/);
    assert((await cachedPackages(cache)).includes("ws"));
    open.kill("SIGTERM");
    assertEquals((await open.outcome).code, 0);
  } finally {
    await jsr.stop();
    await Deno.remove(cache, { recursive: true });
  }
});
