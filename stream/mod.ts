/**
 * What a token stream is: events, {@linkcode TokenStream}, framing, encryption, ends and the table of
 * codes. Nothing here does I/O, and it runs on Deno, Node ≥ 22, Bun and in browsers.
 *
 * @example
 * ```ts
 * import { CODES, parseEvent } from "./mod.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const event = parseEvent('{"type":"error","code":"oom","message":"Out of memory"}');
 * assertEquals(event.type === "error" && CODES[event.code].exit, 13);
 * ```
 *
 * @module
 */
export * from "./channel_id.ts";
export * from "./encryption.ts";
export { decodeSealed, encodeSealed } from "./encryption_v2.ts";
export type { SealedHeader, SealedRecord } from "./encryption_v2.ts";
export * from "./error_code.ts";
export * from "./event.ts";
export * from "./opening_session.ts";
export * from "./resume_token.ts";
export * from "./sealed_input.ts";
export * from "./sealing_session.ts";
export type { Continues } from "./session_record.ts";
export * from "./stream_error.ts";
export * from "./task_key.ts";
export * from "./token_source.ts";
export * from "./token_stream.ts";
export * from "./v1_message.ts";
export * from "./v2_control.ts";
export * from "./v2_frame.ts";
