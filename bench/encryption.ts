/**
 * What encryption v2 costs an event, for one event a record and for as many as gather while a socket is
 * busy. No network: one session seals, another one opens.
 *
 *     deno run -A bench/encryption.ts
 *
 * @module
 */
import { generateKey, OpeningSession, SealingSession } from "../stream/mod.ts";

const EVENT = JSON.stringify({ type: "token", content: " token" });
const PER_RECORD = [1, 64];
const RECORDS = 1_000;

/**
 * Measures it.
 *
 * @param rounds How many rounds; the medians are told.
 * @returns Lines for people.
 */
export async function measureEncryption(rounds: number): Promise<string> {
  const lines = ["encryption v2, AES-256-GCM by WebCrypto, µs an event (median of rounds):"];
  for (const count of PER_RECORD) {
    const seals: number[] = [];
    const opens: number[] = [];
    // the first round warms up
    for (let round = 0; round <= rounds; round++) {
      const { seal, open } = await once(count);
      if (round === 0) continue;
      seals.push(seal);
      opens.push(open);
    }
    lines.push(
      `  ${String(count).padStart(2)} a record: seal ${median(seals)}, open ${median(opens)}`,
    );
  }
  return lines.join("\n");
}

/** One record after the other, as a producer that waits for each. */
async function once(count: number): Promise<{ seal: number; open: number }> {
  const [key, channel] = [generateKey(), "bench"];
  const sealing = new SealingSession({ key, channel, epoch: 1 });
  const opening = new OpeningSession({ key, channel });
  await opening.open(await sealing.begin());
  const batch = Array(count).fill(EVENT).join("\n");
  const records: string[] = [];
  const start = performance.now();
  for (let at = 0; at < RECORDS; at++) records.push(await sealing.seal(batch));
  const between = performance.now();
  for (const record of records) await opening.open(record);
  const end = performance.now();
  const events = RECORDS * count / 1_000;
  return { seal: (between - start) / events, open: (end - between) / events };
}

function median(values: number[]): string {
  return values.sort((a, b) => a - b)[values.length >> 1].toFixed(1);
}

if (import.meta.main) console.log(await measureEncryption(5));
