/**
 * Stand-in for the part of `@std/async` that this project uses, linked where JSR can't be
 * reached. Same names, signatures and behaviour; it runs in Deno, Node, Bun and browsers.
 *
 * @module
 */
export * from "./abortable.ts";
export * from "./deadline.ts";
export * from "./delay.ts";
