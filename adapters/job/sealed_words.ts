/**
 * What a job said at its end, where its stream is encrypted end to end.
 *
 * @module
 */
import { decryptMessage } from "../../stream/encryption.ts";
import { parseEvent } from "../../stream/event.ts";
import { OpeningSession } from "../../stream/opening_session.ts";
import type { ProducerStatus } from "./fate.ts";

/**
 * Opens a `failing` status, as a supervisor gets it: with the producer's sealed verdict and, but for v1,
 * the session it belongs to.
 *
 * @param key The stream's key.
 * @param channel The channel's id.
 * @param status The status.
 * @returns The status with code, reason and details of the producer; as it was where it can't be opened,
 * because then all that is certain is that the producer failed.
 */
export async function openFailing(
  key: string,
  channel: string,
  status: ProducerStatus,
): Promise<ProducerStatus> {
  const { sealed, session, ...told } = status;
  try {
    if ((sealed as { type?: unknown } | undefined)?.type === "enc") {
      const event = parseEvent(await decryptMessage(key, JSON.stringify(sealed)));
      if (event.type !== "error") return told;
      const { code, message: reason, details } = event;
      return { ...told, code, reason, ...(details && { details }) };
    }
    if (sealed === undefined || session === undefined) return told;
    const opening = new OpeningSession({ key, channel, midway: true });
    await opening.resent(JSON.stringify(session));
    const { events: [event] } = await opening.open(
      JSON.stringify({ ...told, type: "status", sealed }),
    );
    return event as unknown as ProducerStatus;
  } catch {
    return told;
  }
}
