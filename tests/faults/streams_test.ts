/**
 * No loss, no double, order kept, no false end: under random cuts on both legs and kills of the relay.
 *
 * `FAULTS_STREAMS` and `FAULTS_KILLS` say how many (60 and 3 by default; 1,000 and 20 in
 * `deno task test:faults`), `FAULTS_SEED` repeats a run.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { generateKey } from "../../stream/mod.ts";
import { check } from "./history.ts";
import { random } from "./random.ts";
import { RelayProcess } from "./relay_process.ts";
import { streamUnderFaults } from "./streams_under_faults.ts";

const streams = Number(Deno.env.get("FAULTS_STREAMS") ?? 60);
const kills = Number(Deno.env.get("FAULTS_KILLS") ?? 3);

for (const key of [undefined, generateKey()]) {
  const what = key ? "encrypted" : "plain";
  Deno.test(`faults - ${streams} ${what} streams, cuts on both legs, ${kills} kills`, async () => {
    const chance = random();
    const secret = generateKey();
    const folder = await Deno.makeTempDir();
    const relay = new RelayProcess({ secret, folder, grace: 2 });
    await relay.start();
    try {
      const histories = await streamUnderFaults({
        relay,
        secret,
        streams,
        kills,
        key,
        atOnce: 25,
        random: chance,
      });
      const { complaints, ...counts } = check(histories);
      const tokens = histories.reduce((sum, { read }) => sum + read.length, 0);
      console.log(`${what}: seed ${chance.seed}, ${tokens} tokens, ${relay.kills} kills`, counts);
      assertEquals(complaints, [], `seed ${chance.seed}`);
      assertEquals(relay.kills, kills);
    } finally {
      await relay.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
