/** Which files a sqlite store opens, and how it says no. @module */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { openSqliteStore } from "../../../server/mod.ts";
import { type ErrorCode, StreamError } from "../../../stream/mod.ts";
import { SHAPE, sqliteFolder } from "./sqlite_folder.ts";

async function refused(code: ErrorCode, words: string, path: string): Promise<void> {
  const error = await assertRejects(() => openSqliteStore({ path, lockWait: 0 }), StreamError);
  assertEquals(error.code, code, error.message);
  assertStringIncludes(error.message, words);
  // one sentence that names the folder
  assertStringIncludes(error.message, path);
}

/** The first version's tables, with one channel. */
const VERSION_1 = `
CREATE TABLE channels (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, state TEXT NOT NULL);
CREATE TABLE tails (channel INTEGER PRIMARY KEY, first INTEGER NOT NULL, next INTEGER NOT NULL,
  bytes INTEGER NOT NULL, claimed INTEGER NOT NULL);
CREATE TABLE frames (channel INTEGER NOT NULL, first INTEGER NOT NULL, n INTEGER NOT NULL,
  origin INTEGER NOT NULL, epoch INTEGER, seq INTEGER, size INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY (channel, first)) WITHOUT ROWID;
CREATE TABLE inputs (channel INTEGER PRIMARY KEY, content BLOB NOT NULL);
CREATE TABLE garbage (channel INTEGER PRIMARY KEY, before INTEGER NOT NULL);
CREATE TABLE facts (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
INSERT INTO channels VALUES (3, 'c', '{"options":{"id":"c","ttl":60000,"retention":60000,
  "maxBytes":1000000},"incarnation":"abc","created":1000,"claims":[{"producerId":"p","epoch":1,
  "next":0,"fenced":false}],"lease":0,"expires":61000,"parts":[]}');
INSERT INTO tails VALUES (3, 0, 2, 3, 2);
INSERT INTO frames VALUES (3, 0, 2, 0, 1, 0, 3, 'a' || char(10) || 'b');
PRAGMA application_id = 1397902425;
PRAGMA user_version = 1;
`;

Deno.test("sqlite open - folder and files are this user's alone", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  await store.create({ id: "c", ...SHAPE });
  const rights = async (path: string) => ((await Deno.stat(path)).mode! & 0o777).toString(8);
  assertEquals(await rights(folder.path), "700");
  for await (const { name } of Deno.readDir(folder.path)) {
    assertEquals([name, await rights(`${folder.path}/${name}`)], [name, "600"]);
  }
});

Deno.test("sqlite open - one relay a folder", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  await refused("conflict", "another relay has it open", folder.path);
  // and the first one goes on
  await store.create({ id: "c", ...SHAPE });
  await refused("conflict", "another relay has it open", folder.path);
  await folder.close();
  assertEquals((await (await folder.open()).list()).length, 1);
});

Deno.test("sqlite open - a store of the version before is brought up to date", async () => {
  await using folder = await sqliteFolder();
  await Deno.mkdir(folder.path);
  const file = `${folder.path}/streamrelay.db`;
  const old = new DatabaseSync(file);
  old.exec(VERSION_1);
  old.close();

  const store = await folder.open();
  const info = await store.info("c");
  assertEquals([info.incarnation, info.next, info.claims[0].next], ["abc", 2, 2]);
  const writer = { origin: "producer", id: "p", epoch: 1, seq: 2, span: 1 } as const;
  await store.append("c", writer, { n: 1, text: "c" }, { streamSeq: "1" });
  assertEquals((await store.read("c", 0, 100)).map(({ text }) => text), ["a\nb", "c"]);
  await folder.close();
  const now = new DatabaseSync(file);
  assertEquals({ ...now.prepare("PRAGMA user_version").get() }, { user_version: 2 });
  now.close();
});

Deno.test("sqlite open - a newer version's store is refused", async () => {
  await using folder = await sqliteFolder();
  await folder.open();
  await folder.close();
  const file = new DatabaseSync(`${folder.path}/streamrelay.db`);
  file.exec("PRAGMA user_version = 99");
  file.close();
  await refused("unsupported", "a newer version wrote it (schema 99)", folder.path);
});

Deno.test("sqlite open - another program's database is left alone", async () => {
  await using folder = await sqliteFolder();
  await Deno.mkdir(folder.path);
  const file = new DatabaseSync(`${folder.path}/streamrelay.db`);
  file.exec("CREATE TABLE recipes (name TEXT)");
  file.close();
  await refused("bad_request", "belongs to another program", folder.path);
});

Deno.test("sqlite open - a file that is no database is refused", async () => {
  await using folder = await sqliteFolder();
  await Deno.mkdir(folder.path);
  await Deno.writeTextFile(`${folder.path}/streamrelay.db`, "no database ".repeat(1000));
  await refused("internal", "not a database", folder.path);
});

Deno.test("sqlite open - a file that was cut short is refused", async () => {
  await using folder = await sqliteFolder();
  const store = await folder.open();
  await store.create({ id: "c", ...SHAPE });
  for (let i = 0; i < 50; i++) {
    await store.append("c", { origin: "relay" }, { n: 1, text: "x".repeat(10_000) });
  }
  await folder.close();
  await Deno.truncate(`${folder.path}/streamrelay.db`, 8192);
  await refused("internal", "damaged", folder.path);
});

Deno.test("sqlite open - a folder that cannot be one is refused", async () => {
  await using folder = await sqliteFolder();
  await Deno.writeTextFile(folder.path, "a file");
  await refused("bad_request", "Cannot keep a store in", folder.path);
});

Deno.test("sqlite open - nothing of SQLite is loaded before", async () => {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "server/mod.ts"],
    cwd: new URL("../../..", import.meta.url),
  }).output();
  assertEquals(code, 0);
  const { modules }: { modules: { specifier: string; dependencies?: Dependency[] }[] } = JSON
    .parse(new TextDecoder().decode(stdout));
  const loads = modules.flatMap(({ specifier, dependencies = [] }) =>
    dependencies
      .filter(({ code, isDynamic }) => code && !isDynamic)
      .map((dependency) => `${specifier} > ${dependency.specifier}`)
  );
  assertEquals(loads.filter((arrow) => arrow.includes("node:sqlite")), []);
});

interface Dependency {
  specifier: string;
  code?: unknown;
  isDynamic?: boolean;
}
