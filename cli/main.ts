/**
 * Finds the subcommand that was typed, and runs it.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import type { Command } from "./command.ts";
import { orOf } from "./executor_kind.ts";
import { commandHelp, overview } from "./help.ts";
import { parseFlags } from "./parse_flags.ts";
import { reportError } from "./report_error.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommands. Each is loaded only when it is asked for, with what it needs. */
export const COMMANDS: Record<string, () => Promise<{ command: Command }>> = {
  "serve": () => import("./serve.ts"),
  "run": () => import("./run.ts"),
  "ls": () => import("./ls.ts"),
  "logs": () => import("./logs.ts"),
  "attach": () => import("./attach.ts"),
  "cancel": () => import("./cancel.ts"),
  "channel new": () => import("./channel_new.ts"),
  "produce": () => import("./produce.ts"),
  "consume": () => import("./consume.ts"),
  "producer": () => import("./producer.ts"),
  "token": () => import("./token.ts"),
  "keygen": () => import("./keygen.ts"),
  "check": () => import("./check.ts"),
  "doctor": () => import("./doctor.ts"),
  "globus login": () => import("./globus_login.ts"),
  "globus logout": () => import("./globus_logout.ts"),
  "globus register": () => import("./globus_register.ts"),
  "demo": () => import("./demo.ts"),
};

/**
 * The command line.
 *
 * @param args The arguments, without the program's name.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    return await dispatch(args);
  } catch (error) {
    return reportError(error);
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first] = args;
  if (first === "--version" || first === "-V") {
    console.log(`streamrelay ${config.version}`);
    return 0;
  }
  if (first === "--help" || first === "-h" || first === "help") {
    const about = args.slice(1).filter((word) => !word.startsWith("-"));
    if (about.length > 0) return await dispatch([...about, "--help"]);
    const commands = Object.values(COMMANDS).map(async (load) => (await load()).command);
    console.log(overview(await Promise.all(commands)).trimEnd());
    return 0;
  }
  const { name, rest } = chosen(args);
  const { command } = await COMMANDS[name]();
  const given = parseFlags(command, rest);
  if (given === "help") {
    console.log(commandHelp(command).trimEnd());
    return 0;
  }
  return await command.run(given);
}

function chosen(args: readonly string[]): { name: string; rest: string[] } {
  const [first, second] = args;
  // the bare command is serve
  if (first === undefined || first.startsWith("-")) {
    return { name: "serve", rest: [...args] };
  }
  for (const length of [2, 1]) {
    const name = args.slice(0, length).join(" ");
    if (Object.hasOwn(COMMANDS, name)) {
      return { name, rest: args.slice(length) };
    }
  }
  const longer = Object.keys(COMMANDS).filter((name) => name.startsWith(`${first} `));
  throw new UsageError(
    longer.length > 0
      ? `Unknown command ${first}${
        second && !second.startsWith("-") ? ` ${second}` : ""
      }: expected ${orOf(longer)}`
      : `Unknown command ${first}: expected one of ${Object.keys(COMMANDS).join(", ")}`,
  );
}
