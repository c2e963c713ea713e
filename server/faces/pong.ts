/**
 * The answer to a client that asks whether the relay is still there.
 *
 * @module
 */
import { type Control, encodeControl } from "../../stream/mod.ts";
import type { Peer } from "../peer.ts";

const PONG = encodeControl({ pong: {} });

/**
 * Answers a `ping`.
 *
 * @param peer Who may have asked.
 * @param control What it said.
 * @returns Whether that was a `ping`.
 */
export function pong(peer: Peer, control: Control): boolean {
  if (control.ping === undefined) return false;
  peer.send(PONG);
  return true;
}
