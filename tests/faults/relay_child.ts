/**
 * A relay in a process of its own, for tests that kill it. Told by its environment, so that no secret
 * stands in its arguments: `FAULTS_SECRET`, `FAULTS_STORE` (a folder; in memory without) and
 * `FAULTS_OPTIONS` (others of `serveRelay`, as JSON).
 *
 * SIGUSR2 makes its clock jump by the milliseconds that the file `FAULTS_JUMP` holds. Every line on
 * stdout is an answer: the port, and one line a jump.
 *
 * @module
 */
import { openSqliteStore, serveRelay } from "../../server/mod.ts";

const jumps = Deno.env.get("FAULTS_JUMP");
if (jumps) {
  const { now } = Date;
  let ahead = 0;
  Date.now = () => now() + ahead;
  globalThis.Date = class extends Date {
    constructor(...given: unknown[]) {
      super(...(given.length > 0 ? given : [Date.now()]) as [number]);
    }
  } as DateConstructor;
  Deno.addSignalListener("SIGUSR2", () => {
    ahead += Number(Deno.readTextFileSync(jumps));
    console.log(ahead);
  });
}
const folder = Deno.env.get("FAULTS_STORE");
const relay = await serveRelay({
  port: 0,
  secret: Deno.env.get("FAULTS_SECRET"),
  store: folder ? await openSqliteStore({ path: folder, sync: "normal" }) : undefined,
  ...JSON.parse(Deno.env.get("FAULTS_OPTIONS") ?? "{}"),
});
Deno.addSignalListener("SIGTERM", () => relay.drain());
console.log(relay.port);
await relay.finished;
Deno.exit(0);
