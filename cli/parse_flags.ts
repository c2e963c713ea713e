/**
 * Reads the arguments of a subcommand, and refuses what it does not know.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import type { Command } from "./command.ts";
import { Given } from "./given.ts";
import { say } from "./say.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Reads arguments.
 *
 * @param command The subcommand.
 * @param args What was typed after its name.
 * @returns What was given; `"help"` when that was asked for.
 * @throws {UsageError} For a flag that is unknown or lacks its value, and for an argument too many.
 */
export function parseFlags(
  command: Command,
  args: readonly string[],
): Given | "help" {
  const { flags, positionals = 0, trailing = false } = command;
  const known = new Set(flags.map(({ name }) => name));
  const parsed = parseArgs(args, {
    string: ["_", ...flags.filter((flag) => flag.value).map(({ name }) => name)],
    boolean: [
      "help",
      ...flags.filter((flag) => !flag.value).map(({ name }) => name),
    ],
    collect: flags.filter((flag) => flag.many).map(({ name }) => name),
    alias: { help: "h" },
    "--": true,
    unknown: (arg, key) => {
      if (key === undefined) return true;
      throw new UsageError(
        `Unknown flag ${arg.split("=")[0]} of ${command.name}${
          meant(key, known)
        }: see ${command.name} --help`,
      );
    },
  });
  if (parsed.help === true) return "help";
  const values: Record<string, unknown> = parsed;
  for (const flag of flags) checkValue(flag, values[flag.name]);
  const words = parsed._.map(String);
  if (words.length > positionals) {
    throw new UsageError(
      `Unexpected argument ${
        JSON.stringify(words[positionals])
      }: expected ${command.name} ${command.synopsis}`.trimEnd(),
    );
  }
  if (parsed["--"].length > 0 && !trailing) {
    throw new UsageError(`Unexpected -- after ${command.name}`);
  }
  return new Given(flags, values, {
    positionals: words,
    trailing: parsed["--"],
  });
}

function checkValue(flag: Command["flags"][number], value: unknown): void {
  const values = Array.isArray(value) ? value : [value];
  if (values.includes("")) {
    throw new UsageError(
      `Flag --${flag.name} has no value: expected --${flag.name} ${flag.value}`,
    );
  }
  if (flag.secret && typeof value === "string") {
    say(
      `Warning: what follows --${flag.name} can be read by everybody on this machine; --${flag.name}-file${
        flag.env ? ` or ${flag.env[0]}` : ""
      } keeps it private`,
    );
  }
}

/** The flag that was probably meant. */
function meant(key: string, known: ReadonlySet<string>): string {
  const like = [...known].find((name) =>
    name.startsWith(key) || key.startsWith(name) ||
    name.replaceAll("-", "") === key.replaceAll(/[-_]/g, "").toLowerCase()
  );
  return like && key.length > 1 ? ` (did you mean --${like}?)` : "";
}
