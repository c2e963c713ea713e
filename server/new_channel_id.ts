/** @module */
import { randomId } from "../stream/mod.ts";

/**
 * An unguessable id for a channel. Ids are typed behind commands, which would take one that begins with
 * a hyphen for a flag.
 *
 * @param prefix What it begins with.
 * @returns The id.
 */
export function newChannelId(prefix = ""): string {
  for (;;) {
    const id = prefix + randomId();
    if (!id.startsWith("-") || prefix !== "") return id;
  }
}
