/**
 * Our relay in a process of its own, as `serve` starts it on loopback: `Deno.serve`, a secret, the sqlite
 * store in the folder `BENCH_DATA` or else memory. Ended channels go after a second, so that one round's
 * records do not burden the next.
 *
 * @module
 */
import { openSqliteStore, serveRelay } from "../server/mod.ts";

const data = Deno.env.get("BENCH_DATA");
const relay = await serveRelay({
  port: 0,
  secret: Deno.env.get("BENCH_SECRET"),
  store: data === undefined ? undefined : await openSqliteStore({ path: data, sync: "full" }),
  retention: 1,
  sweepInterval: 1,
});
console.log(relay.url);
