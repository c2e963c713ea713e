/**
 * Encryption v2 against a relay that lies: `FAULTS_ATTACKS` attacks of chance (500 by default), from
 * `FAULTS_SEED` on. Each failure names the seed that repeats it alone.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { attackOnce, type Outcome } from "./malicious_relay.ts";
import { random } from "./random.ts";

const COUNT = Number(Deno.env.get("FAULTS_ATTACKS") ?? 500);

async function run(count: number, honest: boolean): Promise<void> {
  const { seed } = random();
  console.log(`seed ${seed}`);
  const outcomes = new Map<string, Map<string, number>>();
  const complaints: string[] = [];
  // a few at a time: while one waits for its decryption another gets its turn
  for (let at = 0; at < count; at += 16) {
    const seeds = Array.from({ length: Math.min(16, count - at) }, (_, more) => seed + at + more);
    const done = await Promise.all(seeds.map(async (each): Promise<[number, Outcome]> => [
      each,
      await attackOnce(each, honest),
    ]));
    for (const [each, { name, reason, complaint }] of done) {
      const reasons = outcomes.get(name) ?? new Map();
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      outcomes.set(name, reasons);
      if (complaint) {
        complaints.push(`FAULTS_SEED=${each} FAULTS_ATTACKS=1 (${name}): ${complaint}`);
      }
    }
  }
  for (const [name, reasons] of [...outcomes].sort()) {
    const counts = [...reasons].map(([reason, times]) => `${times} ${reason}`).sort();
    console.log(`  ${name}: ${counts.join(", ")}`);
  }
  assertEquals(complaints, []);
}

Deno.test("malicious relay - one that lies not is believed", () =>
  run(Math.ceil(COUNT / 10), true));

Deno.test("malicious relay - every attack is caught, and no text accepted that was not written", () =>
  run(COUNT, false));
