/**
 * No loss, no double, order kept, no false end: with a network that cuts, resets, delays, slices, holds
 * and swallows on both legs, and with kills of the relay.
 *
 * `FAULTS_STREAMS` and `FAULTS_KILLS` say how many (60 and 3 by default; 1,000 and 20 in
 * `deno task test:faults`), `FAULTS_SEED` repeats a run, `FAULTS_ONLY` has less happen to the network.
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
  Deno.test(`faults - ${streams} ${what} streams, a bad network on both legs, ${kills} kills`, async () => {
    const chance = random();
    const secret = generateKey();
    const folder = await Deno.makeTempDir();
    // longer than a client on a loaded machine takes to notice and to come back
    const relay = new RelayProcess({ secret, folder, grace: 10, options: { postTimeout: 10 } });
    await relay.start();
    try {
      const { histories, disturbances } = await streamUnderFaults({
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
      console.log(disturbances);
      assertEquals(complaints, [], `seed ${chance.seed}`);
      assertEquals(relay.kills, kills);
    } finally {
      await relay.stop();
      await Deno.remove(folder, { recursive: true });
    }
  });
}
