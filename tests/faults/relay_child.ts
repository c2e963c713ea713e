/**
 * A relay in a process of its own, for tests that kill it. Told by its environment, so that no secret
 * stands in its arguments: `FAULTS_PORT`, `FAULTS_SECRET`, `FAULTS_STORE` (a folder; in memory without).
 *
 * @module
 */
import { openSqliteStore, serveRelay } from "../../server/mod.ts";

const folder = Deno.env.get("FAULTS_STORE");
const relay = await serveRelay({
  port: Number(Deno.env.get("FAULTS_PORT") ?? 0),
  secret: Deno.env.get("FAULTS_SECRET"),
  producerGrace: Number(Deno.env.get("FAULTS_GRACE") ?? 60),
  store: folder ? await openSqliteStore({ path: folder, sync: "normal" }) : undefined,
});
console.log(relay.port);
Deno.addSignalListener("SIGTERM", () => relay.close());
await relay.finished;
Deno.exit(0);
