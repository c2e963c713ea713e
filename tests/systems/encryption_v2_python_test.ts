/** Encryption v2 against an implementation of its own, in Python on `cryptography`. @module */
import { assertEquals } from "@std/assert";
import { decodeBase64, encodeBase64 } from "@std/encoding/base64";
import {
  generateKey,
  OpeningSession,
  openInput,
  SealingSession,
  sealInput,
  type StreamEvent,
} from "../../stream/mod.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("python");
const SCRIPT = new URL("python/encryption_v2.py", import.meta.url).pathname;
const VECTORS = new URL("../vectors/encryption_v2.json", import.meta.url).pathname;
const channel = "run-7";
const WORDS = ["Hello", " wörld", " 🌍", "\n", '"quoted"', "", "\u2028", " end"];

async function python<T>(args: string[], input?: unknown): Promise<T> {
  const python = Deno.env.get("STREAMRELAY_TEST_PYTHON")!;
  const { code, stdout, stderr } = await runCommand([python, SCRIPT, ...args], {
    stdin: input === undefined ? undefined : JSON.stringify(input),
  });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

function batches(): StreamEvent[][] {
  return Array.from({ length: 20 }, (_, at) =>
    Array.from({ length: 1 + at % 5 }, (_, more) => ({
      type: "token",
      content: WORDS[(at + more) % WORDS.length],
    })));
}

Deno.test({
  name: "encryption v2 and Python - the vectors hold there, too",
  ignore,
  async fn() {
    const { checked } = await python<{ checked: number }>(["check", VECTORS]);
    assertEquals(checked > 50, true);
  },
});

Deno.test({
  name: "encryption v2 and Python - it reads what we write",
  ignore,
  async fn() {
    const key = generateKey();
    const sealing = new SealingSession({ key, channel, epoch: 3 });
    const records = [await sealing.begin()];
    for (const batch of batches()) {
      records.push(await sealing.seal(batch.map((event) => JSON.stringify(event)).join("\n")));
    }
    const done = { type: "done", reason: "length" };
    records.push(await sealing.end(JSON.stringify(done)));
    assertEquals(await python(["open"], { key, channel, records }), {
      events: [...batches().flat(), done],
    });
    const cut = records.toSpliced(3, 1);
    assertEquals(await python(["open"], { key, channel, records: cut }), { error: "tampered" });
  },
});

Deno.test({
  name: "encryption v2 and Python - we read what it writes, through a continued epoch",
  ignore,
  async fn() {
    const key = generateKey();
    const seal = (more: Record<string, unknown>) =>
      python<{ records: string[] }>(["seal"], { key, channel, batches: batches(), ...more });
    const first = await seal({ epoch: 1 });
    const count = first.records.length;
    const second = await seal({
      epoch: 2,
      continues: { epoch: 1, count },
      end: { type: "done", reason: "completed" },
    });
    const opening = new OpeningSession({ key, channel });
    const { events } = await opening.open([...first.records, ...second.records].join("\n"));
    assertEquals(events, [
      ...batches().flat(),
      ...batches().flat(),
      { type: "done", reason: "completed" },
    ]);
  },
});

Deno.test({
  name: "encryption v2 and Python - inputs, both ways",
  ignore,
  async fn() {
    const key = generateKey();
    const text = new TextEncoder().encode("Tell me a störy");
    const ask = async (what: string, blob: Uint8Array) => {
      const answer = await python<{ blob: string }>([what], {
        key,
        channel,
        blob: encodeBase64(blob),
      });
      return new Uint8Array(decodeBase64(answer.blob));
    };
    assertEquals(await ask("open-input", await sealInput(key, channel, text)), text);
    assertEquals(await openInput(key, channel, await ask("seal-input", text)), text);
  },
});
