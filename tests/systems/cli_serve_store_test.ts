/** What a user sees of where `serve` keeps its channels. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { type Person, person } from "./command_line.ts";

const SERVE = ["serve", "--port", "0"];

async function mode(path: string): Promise<string> {
  return ((await Deno.stat(path)).mode! & 0o777).toString(8);
}

/** Runs a relay that ends by SIGTERM, and a task while it runs. */
async function withRelay<T>(
  somebody: Person,
  flags: string[],
  task: (url: string) => Promise<T>,
): Promise<T> {
  const relay = somebody.start([...SERVE, ...flags]);
  const [, url] = /Relay at ws(:\/\/[\w.]+:\d+)/.exec(await relay.printed(/Relay at .*\n/))!;
  try {
    return await task(`http${url}`);
  } finally {
    relay.kill("SIGTERM");
    assertEquals((await relay.outcome).code, 0);
  }
}

Deno.test("serve - channels survive the relay, for this user alone", async () => {
  await using somebody = await person();
  const store = `${somebody.home}/state/streamrelay/store`;
  await withRelay(somebody, [], async () => {
    await somebody.run(["channel", "new", "kept"]);
    const produced = await somebody.run(["produce", "--channel", "kept"], { stdin: "one two" });
    assertEquals(produced.code, 0, produced.stderr);
    assertEquals([await mode(store), await mode(`${store}/streamrelay.db`)], ["700", "600"]);
  });
  await withRelay(somebody, [], async () => {
    const { code, stdout } = await somebody.run(["consume", "--channel", "kept"]);
    assertEquals([code, stdout.trim()], [0, "one two"]);
  });
  // whoever asks nobody for a credential does not open what was kept behind one
  await withRelay(somebody, ["--insecure"], async (url) => {
    const answer = await fetch(`${url}/v1/channels`);
    assertEquals(await answer.json(), { channels: [] });
    assertEquals(await mode(`${somebody.home}/state/streamrelay/store-insecure`), "700");
  });
});

Deno.test("serve - --store memory forgets, and leaves nothing", async () => {
  await using somebody = await person();
  await withRelay(somebody, ["--store", "memory"], async () => {
    assertEquals((await somebody.run(["channel", "new"])).code, 0);
  });
  const names = await Array.fromAsync(Deno.readDir(`${somebody.home}/state/streamrelay`));
  assert(!names.some(({ name }) => name.startsWith("store")));
});

Deno.test("serve - a store that can't be used is told in one sentence", async () => {
  await using somebody = await person();
  const folder = (name: string) => `${somebody.home}/${name}`;
  const refused = async (flags: string[], words: RegExp, exit: number) => {
    const { code, stdout, stderr } = await somebody.run([...SERVE, ...flags]);
    assertEquals([code, stdout], [exit, ""], stderr);
    assertMatch(stderr, words);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  };
  const made = async (name: string) => {
    await withRelay(somebody, ["--data", folder(name)], async () => {});
    return `${folder(name)}/streamrelay.db`;
  };

  await withRelay(somebody, ["--data", folder("locked")], () =>
    refused(
      ["--data", folder("locked")],
      /another relay has it open, expected one relay a folder: see --data and --store memory \[conflict\]/,
      24,
    ));

  using newer = new DatabaseSync(await made("newer"));
  newer.exec("PRAGMA user_version=1000");
  newer.close();
  await refused(
    ["--data", folder("newer")],
    /a newer version wrote it \(schema 1000\), expected schema \d+ \[unsupported\]/,
    24,
  );

  const torn = await made("torn");
  await Deno.writeFile(torn, (await Deno.readFile(torn)).fill(0xff, 4096));
  await refused(["--data", folder("torn")], /it is damaged, .* \[internal\]/, 1);

  const other = await made("other");
  await Deno.writeTextFile(other, "Dear diary,\n".repeat(1000));
  await refused(["--data", folder("other")], /its file is not a database, .* \[internal\]/, 1);

  await Deno.writeTextFile(folder("file"), "");
  await refused(["--data", folder("file")], /Cannot keep a store in .*\[bad_request\]/, 24);
  await refused(["--store", "memory", "--sync", "full"], /expected --store sqlite/, 2);
  await refused(["--store", "paper"], /expected sqlite or memory/, 2);
  await refused(["--sync", "never"], /expected full or normal/, 2);
});
