/** @module */

/**
 * A record as a producer makes it for a token.
 *
 * @param content The token's text.
 * @returns One line of JSON.
 */
export function tokenRecord(content: string): string {
  return JSON.stringify({ type: "token", content });
}
