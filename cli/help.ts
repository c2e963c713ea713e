/**
 * The help of every subcommand, all of one form.
 *
 * @module
 */
import type { Command, Flag } from "./command.ts";

/** Exit codes that every command has. */
const EXITS: readonly (readonly [number | string, string])[] = [
  [0, "it went well"],
  [1, "a defect of ours"],
  [2, "it was typed wrongly"],
  ["10–26", "how a stream or request failed: docs/codes.md"],
  [130, "it was cancelled"],
];

/**
 * The help of one subcommand.
 *
 * @param command The subcommand.
 * @returns The text, with a line break at its end.
 */
export function commandHelp(command: Command): string {
  const parts = [
    `Usage: streamrelay ${command.name} ${command.synopsis}`.trimEnd(),
    command.summary,
  ];
  if (command.about) parts.push(command.about);
  const flags: Flag[] = [...command.flags, {
    name: "help",
    help: "Print this",
  }];
  parts.push(`Flags:\n${table(flags.map((flag) => [left(flag), right(flag)]))}`);
  parts.push(
    `Examples:\n${
      command.examples.map(([line, does]) => `  ${line}\n      ${does}`)
        .join("\n")
    }`,
  );
  const exits = [...EXITS];
  for (const exit of command.exits ?? []) {
    const at = exits.findIndex(([code]) => code === exit[0]);
    if (at < 0) exits.splice(exits.length - 2, 0, exit);
    else exits[at] = exit;
  }
  parts.push(
    `Exit codes:\n${table(exits.map(([code, meaning]) => [String(code), meaning]))}`,
  );
  return parts.join("\n\n") + "\n";
}

/**
 * The list of all subcommands.
 *
 * @param commands The subcommands.
 * @returns The text, with a line break at its end.
 */
export function overview(
  commands: readonly Pick<Command, "name" | "summary">[],
): string {
  return `Usage: streamrelay [COMMAND] [FLAGS]

Streams what a batch job prints while the job runs.

Commands:
${table(commands.map(({ name, summary }) => [name, summary]))}

Without a command it is serve. \`streamrelay COMMAND --help\` tells more of each,
with examples and exit codes; --version prints the version.
`;
}

function left({ name, value }: Flag): string {
  return value === undefined ? `--${name}` : `--${name} ${value}`;
}

function right({ help, env, many }: Flag): string {
  const notes = [
    ...(many ? ["can be repeated"] : []),
    ...(env ? [`or ${env.join(", ")}`] : []),
  ];
  return notes.length > 0 ? `${help} (${notes.join("; ")})` : help;
}

function table(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(26, Math.max(...rows.map(([name]) => name.length)));
  return rows.map(([name, text]) =>
    name.length > width
      ? `  ${name}\n  ${" ".repeat(width)}  ${text}`
      : `  ${name.padEnd(width)}  ${text}`
  ).join("\n");
}
