/** @module */
import type { ParseOptions } from "./args.ts";

const NUMBER = /^(?:0x[0-9a-f]+|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)$/i;

/** The flags met so far, and what the options say about each name and its aliases. */
export class Flags {
  /** Whether `boolean: true` was asked for. */
  readonly allBooleans: boolean;
  readonly #aliases = new Map<string, Set<string>>();
  readonly #booleans: Set<string>;
  readonly #strings: Set<string>;
  readonly #collected: Set<string>;
  readonly #negatable: Set<string>;
  readonly #defaults: Record<string, unknown>;
  readonly #unknown: ParseOptions["unknown"];
  // No prototype: a flag called --constructor or --__proto__ is a flag like any other.
  readonly #values: Record<string, unknown> = Object.create(null);

  /** @param options As of `parseArgs`. */
  constructor(options: ParseOptions) {
    for (const [name, others] of Object.entries(options.alias ?? {})) {
      const group = new Set([name, ...asList(others)]);
      for (const each of group) {
        this.#aliases.set(
          each,
          group.union(this.#aliases.get(each) ?? new Set()),
        );
      }
    }
    const { boolean } = options;
    this.allBooleans = boolean === true;
    this.#booleans = this.#withAliases(
      typeof boolean === "boolean" ? [] : asList(boolean),
    );
    this.#strings = this.#withAliases(asList(options.string));
    this.#collected = this.#withAliases(asList(options.collect));
    this.#negatable = this.#withAliases(asList(options.negatable));
    this.#defaults = options.default ?? {};
    this.#unknown = options.unknown;
  }

  /** Whether the flag takes no value. */
  isBoolean(key: string): boolean {
    return this.#booleans.has(key);
  }

  /** Whether the flag's value stays a text. */
  isString(key: string): boolean {
    return this.#strings.has(key);
  }

  /** Whether `--no-<key>` sets it to false. */
  isNegatable(key: string): boolean {
    return this.#negatable.has(key);
  }

  /** A text as the value of that flag: a number if it looks like one and may be one. */
  guess(key: string, text: string): string | number {
    return !this.isString(key) && NUMBER.test(text) ? Number(text) : text;
  }

  /** Takes a flag's value, unless it is unknown and `unknown` declines it. */
  set(key: string, value: string | boolean, arg: string, collect = true): void {
    const known = this.#booleans.has(key) || this.#strings.has(key) ||
      this.#aliases.has(key) ||
      (this.allBooleans && /^--[^=]+$/.test(arg));
    if (!known && this.#unknown?.(arg, key, value) === false) return;
    const meant = typeof value === "string" ? this.guess(key, value) : value;
    for (const name of this.#namesOf(key)) {
      if (collect && this.#collected.has(name)) {
        const sofar = this.#values[name];
        this.#values[name] = Array.isArray(sofar) ? [...sofar, meant] : [meant];
      } else {
        this.#values[name] = meant;
      }
    }
  }

  /** All flags, with the defaults of those that were not given. */
  finish(): Record<string, unknown> {
    for (const [key, value] of Object.entries(this.#defaults)) {
      if (key in this.#values) continue;
      for (const name of this.#namesOf(key)) this.#values[name] = value;
    }
    for (const name of this.#booleans) {
      this.#values[name] ??= this.#collected.has(name) ? [] : false;
    }
    for (const name of this.#collected) this.#values[name] ??= [];
    return this.#values;
  }

  #namesOf(key: string): Iterable<string> {
    return this.#aliases.get(key) ?? [key];
  }

  #withAliases(names: readonly string[]): Set<string> {
    return new Set(names.flatMap((name) => [...this.#namesOf(name)]));
  }
}

function asList(value: string | readonly string[] | undefined) {
  if (value === undefined) return [];
  return typeof value === "string" ? [value] : value;
}
