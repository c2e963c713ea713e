/**
 * The names of channels.
 *
 * @module
 */
import { encodeBase64Url } from "@std/encoding/base64url";

const CHANNEL_ID = /^[A-Za-z0-9_-]{1,128}$/;

/**
 * What is expected of an id, for error messages.
 *
 * @example
 * ```ts
 * import { CHANNEL_ID_RULE } from "./channel_id.ts";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(CHANNEL_ID_RULE, "1 to 128 of the characters A-Z a-z 0-9 _ -");
 * ```
 */
export const CHANNEL_ID_RULE = "1 to 128 of the characters A-Z a-z 0-9 _ -";

/**
 * Whether a text can name a channel on the WebSocket faces.
 *
 * @param id What may be an id.
 * @returns `true` for 1 to 128 of `A-Z a-z 0-9 _ -`.
 * @example
 * ```ts
 * import { isChannelId } from "./channel_id.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isChannelId("run-7"));
 * assert(!isChannelId("../etc"));
 * ```
 */
export function isChannelId(id: string): boolean {
  return CHANNEL_ID.test(id);
}

/**
 * A new unguessable name.
 *
 * @param bytes How many random bytes it is made of; the default, 16, gives 128 bits.
 * @returns The bytes in base64url.
 * @example
 * ```ts
 * import { isChannelId, randomId } from "./channel_id.ts";
 * import { assert } from "@std/assert";
 *
 * assert(isChannelId(randomId()));
 * ```
 */
export function randomId(bytes = 16): string {
  return encodeBase64Url(crypto.getRandomValues(new Uint8Array(bytes)));
}
