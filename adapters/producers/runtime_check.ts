/**
 * Whether this runtime can reach the relay at all.
 *
 * @module
 */
import process from "node:process";
import { RelayProducer } from "../../client/relay_producer.ts";
import { say } from "./settings.ts";

/**
 * Checks settings and runtime, without asking the relay.
 *
 * @returns The exit code: 0 when this producer can be used here.
 * @throws {StreamError} `bad_request` for settings that are missing or malformed.
 */
export function checkRuntime(): number {
  if (typeof WebSocket === "undefined") {
    say(`node ${process.versions.node} has no WebSocket, expected 22 or newer`);
    return 1;
  }
  new RelayProducer();
  return 0;
}
