/**
 * Stand-in for the part of `@std/cli` that this project uses, linked where JSR can't be
 * reached: `parseArgs`, without dotted names.
 *
 * @module
 */
export * from "./parse_args.ts";
