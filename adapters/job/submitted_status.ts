/**
 * The first word of a job's stream.
 *
 * @module
 */
import type { Submitted } from "../scheduler.ts";
import type { PreparedChannel } from "./prepare_channel.ts";

const WEAKER =
  "Encryption v1 hides the text; what a relay leaves out, repeats or reorders goes unseen";

/**
 * The status that tells of a submission, and how the stream is encrypted.
 *
 * @param channel The job's channel.
 * @param submitted What the scheduler answered.
 * @returns The status.
 */
export function submittedStatus(
  { key, encryption }: Pick<PreparedChannel, "key" | "encryption">,
  { jobId, notice }: Submitted,
): { state: "submitted"; jobId: string; reason?: string; details: { encryption: string } } {
  const version = key === undefined ? "off" : encryption ?? "v2";
  const reasons = [notice, version === "v1" ? WEAKER : undefined].filter(Boolean);
  return {
    state: "submitted",
    jobId,
    ...(reasons.length > 0 && { reason: reasons.join("; ") }),
    details: { encryption: version },
  };
}
