/**
 * What was typed after a subcommand, and what the environment says in its place.
 *
 * @module
 */
import type { Flag } from "./command.ts";
import { parseDuration } from "./parse_duration.ts";
import { parseSize } from "./parse_size.ts";
import { UsageError } from "./usage_error.ts";

/** The values of a command's flags, checked when they are asked for. */
export class Given {
  /** Arguments that are no flags. */
  readonly positionals: readonly string[];
  /** What followed `--`. */
  readonly trailing: readonly string[];
  #flags: ReadonlyMap<string, Flag>;
  #values: Record<string, unknown>;

  /**
   * @param flags The command's flags.
   * @param values What was typed of them.
   * @param words The other arguments, and those after `--`.
   */
  constructor(
    flags: readonly Flag[],
    values: Record<string, unknown>,
    words: { positionals: readonly string[]; trailing: readonly string[] },
  ) {
    this.#flags = new Map(flags.map((flag) => [flag.name, flag]));
    this.#values = values;
    this.positionals = words.positionals;
    this.trailing = words.trailing;
  }

  /**
   * The same with a flag that was typed in another way.
   *
   * @param name The flag.
   * @param value Its value.
   */
  with(name: string, value: string): Given {
    return new Given([...this.#flags.values()], { ...this.#values, [name]: value }, {
      positionals: this.positionals,
      trailing: this.trailing,
    });
  }

  /** Whether a flag without value was given, here or in the environment. */
  on(name: string): boolean {
    if (this.#values[name] === true) return true;
    const found = this.#environment(name);
    if (found === undefined || /^(0|false|no)$/i.test(found.value)) {
      return false;
    }
    if (/^(1|true|yes)$/i.test(found.value)) return true;
    throw bad(found.name, found.value, "1 or 0");
  }

  /** A flag's text, or its environment variable's. */
  text(name: string): string | undefined {
    return this.#find(name)?.value;
  }

  /** A flag's text as it was typed, whatever the environment says. */
  typed(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === "string" ? value : undefined;
  }

  /** What the environment says in a flag's place. */
  environment(name: string): string | undefined {
    return this.#environment(name)?.value;
  }

  /** The texts of a flag that can be given several times. */
  list(name: string): string[] {
    const value = this.#values[name];
    if (Array.isArray(value) && value.length > 0) return value.map(String);
    const found = this.#environment(name);
    return found === undefined ? [] : found.value.split(",");
  }

  /** A flag's whole number. */
  number(name: string): number | undefined {
    return this.#parsed(
      name,
      "a whole number",
      (text) => /^\d{1,15}$/.test(text) ? Number(text) : undefined,
    );
  }

  /** A flag's time, in seconds. */
  seconds(name: string): number | undefined {
    return this.#parsed(
      name,
      'seconds, or a time such as "90s", "10m", "24h", "7d"',
      parseDuration,
    );
  }

  /** A flag's size, in bytes. */
  bytes(name: string): number | undefined {
    return this.#parsed(
      name,
      'bytes, or a size such as "512K", "64M", "1G"',
      parseSize,
    );
  }

  /** A flag that takes one of a few words. */
  choice<T extends string>(name: string, words: readonly T[]): T | undefined {
    return this.#parsed(
      name,
      words.join(" or "),
      (text) => words.find((word) => word === text),
    );
  }

  #parsed<T>(
    name: string,
    expected: string,
    parse: (text: string) => T | undefined,
  ): T | undefined {
    const found = this.#find(name);
    if (found === undefined) return undefined;
    const value = parse(found.value);
    if (value === undefined) throw bad(found.name, found.value, expected);
    return value;
  }

  #find(name: string): { name: string; value: string } | undefined {
    const value = this.typed(name);
    return value === undefined ? this.#environment(name) : { name: `--${name}`, value };
  }

  #environment(name: string): { name: string; value: string } | undefined {
    for (const variable of this.#flags.get(name)?.env ?? []) {
      const value = Deno.env.get(variable);
      // an empty variable is as good as none
      if (value) return { name: variable, value };
    }
  }
}

function bad(name: string, value: string, expected: string): UsageError {
  return new UsageError(
    `Cannot parse ${name} ${JSON.stringify(value)}: expected ${expected}`,
  );
}
