/**
 * Our relay in a process of its own, as `serve` starts it on loopback: `Deno.serve`, memory store, a
 * secret. Ended channels go after a second, so that one round's records do not burden the next.
 *
 * @module
 */
import { serveRelay } from "../server/mod.ts";

const relay = await serveRelay({
  port: 0,
  secret: Deno.env.get("BENCH_SECRET"),
  retention: 1,
  sweepInterval: 1,
});
console.log(relay.url);
