/** A sqlite store whose process is killed while it writes. @module */
import { assertEquals, assertGreaterOrEqual } from "@std/assert";
import { openSqliteStore, type Store } from "../../server/mod.ts";
import { random } from "./random.ts";

const ROUNDS = 10;

/** Runs the writer until it has acknowledged so many appends, kills it, and says what it had acknowledged. */
async function writeAndDie(
  folder: string,
  sync: "full" | "normal",
  appends: number,
): Promise<Map<string, number>> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", new URL("./sqlite_kill_child.ts", import.meta.url).href],
    env: { FAULTS_STORE: folder, FAULTS_SYNC: sync },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  let printed = "";
  let lines = 0;
  for await (const chunk of child.stdout.pipeThrough(new TextDecoderStream())) {
    printed += chunk;
    lines += chunk.split("\n").length - 1;
    if (lines >= appends) {
      appends = Infinity;
      child.kill("SIGKILL");
    }
  }
  await child.status;
  const acknowledged = new Map<string, number>();
  // the last line may have been cut off
  for (const line of printed.split("\n").slice(0, -1)) {
    const [id, next] = line.split(" ");
    acknowledged.set(id, Number(next));
  }
  return acknowledged;
}

/** Every record of a channel, and their bytes as the store counts them. */
async function all(store: Store, id: string): Promise<{ found: string[]; bytes: number }> {
  const found: string[] = [];
  let bytes = 0;
  for (;;) {
    const frames = await store.read(id, found.length, 1_000_000);
    if (frames.length === 0) return { found, bytes };
    for (const { first, text } of frames) {
      assertEquals(first, found.length);
      found.push(...text.split("\n"));
      bytes += text.length;
    }
  }
}

Deno.test(`sqlite kill - nothing that was acknowledged is missing, ${ROUNDS} times`, async () => {
  const chance = random();
  console.log(`seed ${chance.seed}`);
  const folder = await Deno.makeTempDir();
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const sync = round % 2 ? "normal" : "full";
      const acknowledged = await writeAndDie(folder, sync, chance.between(20, 500));
      const store = await openSqliteStore({ path: folder });
      for (const [id, next] of acknowledged) {
        const info = await store.info(id);
        assertGreaterOrEqual(info.next, next, `round ${round}, channel ${id}`);
        const { found, bytes } = await all(store, id);
        assertEquals(found, Array.from({ length: info.next }, (_, i) => `${id}${i}`));
        assertEquals(info.claims.map((claim) => claim.next), [info.next]);
        assertEquals(info.bytes, bytes);
      }
      await store.close();
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
