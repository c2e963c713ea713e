/**
 * Appends to a sqlite store as fast as it can and prints what was acknowledged, until it is killed:
 * `FAULTS_STORE` names the folder, `FAULTS_SYNC` how safe a commit is.
 *
 * @module
 */
import { openSqliteStore, type Store } from "../../server/mod.ts";

const CHANNELS = ["a", "b", "c"];
/** Appends of a channel that are under way at a time. */
const IN_FLIGHT = 4;
const encoder = new TextEncoder();

const store = await openSqliteStore({
  path: Deno.env.get("FAULTS_STORE") ?? "",
  sync: Deno.env.get("FAULTS_SYNC") === "normal" ? "normal" : "full",
});
const there = new Set((await store.list()).map(({ id }) => id));
for (const id of CHANNELS) {
  if (!there.has(id)) {
    await store.create({ id, ttl: 3_600_000, retention: 3_600_000, maxBytes: 1e9 });
  }
}
await Promise.all(CHANNELS.map((id) => write(store, id)));

async function write(store: Store, id: string): Promise<never> {
  // the same instance at every start: it goes on where it was
  let { epoch, next: seq } = await store.claim(id, "writer");
  const waiting: Promise<void>[] = [];
  for (;;) {
    const n = 1 + seq % 3;
    const records = Array.from({ length: n }, (_, i) => `${id}${seq + i}`);
    const writer = { origin: "producer", id: "writer", epoch, seq, span: n } as const;
    waiting.push(
      store.append(id, writer, { n, text: records.join("\n") }).then(({ next }) => {
        Deno.stdout.writeSync(encoder.encode(`${id} ${next}\n`));
      }),
    );
    seq += n;
    if (waiting.length >= IN_FLIGHT) await waiting.shift();
  }
}
