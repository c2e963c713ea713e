/** @module */
import type { Args, ParseOptions } from "./args.ts";
import { Flags } from "./flags.ts";

export type { Args, ParseOptions } from "./args.ts";

/**
 * Reads command-line arguments, as minimist does: `--key value`, `--key=value`, `--flag`,
 * `--no-flag`, `-k value`, `-kvalue` for numbers, `-abc`, and everything after `--` as it is.
 * Values that look like numbers become numbers unless `string` names their flag.
 *
 * @param args The arguments, usually `Deno.args`.
 * @param options What is known about the flags; without any, types are guessed.
 * @returns The flags by name, and the rest under `_`.
 *
 * @example
 * ```ts
 * import { parseArgs } from "@std/cli/parse-args";
 * import { assertEquals } from "@std/assert";
 *
 * const args = parseArgs(["serve", "--host", "localhost", "--verbose"], {
 *   string: ["host"],
 *   boolean: ["verbose"],
 * });
 * assertEquals(args.host, "localhost");
 * assertEquals(args.verbose, true);
 * assertEquals(args._, ["serve"]);
 * ```
 */
export function parseArgs<
  const B extends string = never,
  const S extends string = never,
  const C extends string = never,
  const N extends string = never,
  D extends Record<string, unknown> = Record<never, never>,
  const A extends Record<string, string | readonly string[]> = Record<
    never,
    never
  >,
  DD extends boolean = false,
>(
  args: readonly string[],
  options: ParseOptions<B, S, C, N, D, A, DD> = {},
): Args<B, S, C, N, D, A, DD> {
  const flags = new Flags(options);
  const dashes = args.indexOf("--");
  const before = dashes < 0 ? args : args.slice(0, dashes);
  const after = dashes < 0 ? [] : args.slice(dashes + 1);

  const rest: (string | number)[] = [];
  for (let i = 0; i < before.length; i++) {
    const arg = before[i];
    if (arg.startsWith("--")) {
      i += readLong(flags, arg, before[i + 1]);
    } else if (arg.length > 1 && arg.startsWith("-")) {
      i += readShort(flags, arg, before[i + 1]);
    } else {
      if (options.unknown?.(arg) !== false) rest.push(flags.guess("_", arg));
      if (options.stopEarly) {
        rest.push(...before.slice(i + 1));
        break;
      }
    }
  }
  if (!options["--"]) rest.push(...after);
  const found = {
    _: rest,
    ...flags.finish(),
    ...(options["--"] ? { "--": after } : {}),
  };
  // The type says by name what the loop above did by name; no compiler can follow that.
  return found as Record<string, unknown> as Args<B, S, C, N, D, A, DD>;
}

/** Reads `--key…` and says how many of the following arguments it took. */
function readLong(flags: Flags, arg: string, next?: string): number {
  const [, name, , value] = /^--([^=]+)(=(.*))?$/s.exec(arg) ?? [, arg, , ,];
  let key = name ?? arg;
  if (value !== undefined) {
    flags.set(key, flags.isBoolean(key) ? value !== "false" : value, arg);
    return 0;
  }
  if (key.startsWith("no-")) {
    const positive = key.slice(3);
    if (flags.isNegatable(positive)) {
      flags.set(positive, false, arg, false);
      return 0;
    }
    key = `no-${positive}`;
  }
  if (
    next && !next.startsWith("-") && !flags.isBoolean(key) && !flags.allBooleans
  ) {
    flags.set(key, next, arg);
    return 1;
  }
  return setBare(flags, key, arg, next);
}

/** Reads `-k`, `-abc`, `-k=value`, `-n5` and says how many following arguments it took. */
function readShort(flags: Flags, arg: string, next?: string): number {
  for (let j = 1; j < arg.length - 1; j++) {
    const letter = arg[j];
    const tail = arg.slice(j + 1);
    if (tail === "-") {
      flags.set(letter, tail, arg);
      return 0;
    }
    const isLetter = /[A-Za-z]/.test(letter);
    if (isLetter && tail.startsWith("=")) {
      flags.set(letter, tail.slice(1), arg);
      return 0;
    }
    if (isLetter && /^-?\d+(\.\d*)?(e-?\d+)?$/.test(tail) || /^\W/.test(tail)) {
      flags.set(letter, tail, arg);
      return 0;
    }
    flags.set(letter, flags.isString(letter) ? "" : true, arg);
  }
  const key = arg.slice(-1);
  if (next && !/^--?[^-]/.test(next) && !flags.isBoolean(key)) {
    flags.set(key, next, arg);
    return 1;
  }
  return setBare(flags, key, arg, next);
}

/** Sets a flag that has no value of its own, except perhaps a following true or false. */
function setBare(flags: Flags, key: string, arg: string, next?: string) {
  if (next === "true" || next === "false") {
    flags.set(key, next === "true", arg);
    return 1;
  }
  flags.set(key, flags.isString(key) ? "" : true, arg);
  return 0;
}
