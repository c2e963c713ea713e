/**
 * Stand-in for the part of `@std/encoding` that this project uses, linked where JSR can't be
 * reached. Same names, signatures and behaviour. Only `btoa`, `atob` and tables are used:
 * `Uint8Array.prototype.toBase64` is missing on Node 22 and 24.
 *
 * @module
 */
export * from "./base64.ts";
export * from "./base64url.ts";
export * from "./hex.ts";
