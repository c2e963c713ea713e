/**
 * The end of a relay: goodbyes first, the store last.
 *
 * @module
 */
import { encodeControl, StreamError } from "../stream/mod.ts";
import type { StalledReaders } from "./reader.ts";
import type { RelayContext } from "./relay_context.ts";
import type { Listening } from "./transport/transport.ts";

/** How long a closing relay waits for its clients' goodbyes. */
const GOODBYE_MS = 300;

/**
 * Tells every client to come back later, stops listening, and closes the store, which first commits
 * what was handed to it.
 *
 * @param context The relay.
 * @param listening Its transport.
 * @param stalled Its readers that wait.
 */
export async function shutDown(
  context: RelayContext,
  listening: Listening,
  stalled: StalledReaders,
): Promise<void> {
  const farewell = new StreamError("overloaded", "The relay is going away, come back later");
  for (const peer of context.peers) {
    // a v1 client takes the words for a message of a type it does not know, and skips it
    peer.send(encodeControl({ error: farewell.toJSON() }));
    peer.close(1012, farewell.message);
  }
  // after the goodbyes, which are the better word for those who have a socket
  context.channels.close(farewell);
  // shutdown() would overwrite a close that is still under way
  await context.peers.gone(GOODBYE_MS);
  stalled.close();
  await listening.close();
  // who went says so only now, and what they held is looked up
  await context.audit.settled();
  await context.store.close();
  context.log("info", "stopped");
}
