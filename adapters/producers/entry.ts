/**
 * The producer that runs in a job: sends what a program prints to its channel. `deno task bundle` makes
 * one file of it, which a job script carries for Deno and Node ≥ 22.
 *
 * @module
 */
import process from "node:process";
import { parseArgs } from "node:util";
import { useProxiedFetch } from "./proxied_fetch.ts";
import { pipe } from "./pipe_command.ts";
import { printTaskKey } from "./print_task_key.ts";
import { fetchInput, report } from "./relay_questions.ts";
import { checkRuntime } from "./runtime_check.ts";
import { run } from "./run_command.ts";
import { say } from "./settings.ts";
import { useSpool } from "./spool_fetch.ts";

const USAGE = `usage:
  run -- command …        run a command, stream its output, report how it ended
  pipe                    stream standard input; --eof-is-done where its end is known to be success,
                          --verdict FILE (how the program ended), --pid FILE (its process group)
  input FILE              fetch the channel's input (exit 3: none, 4: cancelled)
  report --verdict FILE   report a failure unless the channel has its end
  task-key ARRAY TASK     print the key of one task of a job array
  check                   exit 0 when this producer can be used here
The channel comes from STREAMRELAY_URL, STREAMRELAY_CHANNEL and STREAMRELAY_TOKEN; with STREAMRELAY_KEY
the stream is encrypted end to end. Where no relay can be reached, STREAMRELAY_SPOOL is a folder that an
executor follows.
`;

async function main(args: string[]): Promise<number> {
  const [what, ...rest] = args;
  if (what === "check" && rest.length === 0) return checkRuntime();
  if (what === "run" && rest[0] === "--" && rest.length > 1) return await run(rest.slice(1));
  if (what === "input" && rest.length === 1) return await fetchInput(rest[0]);
  if (what === "report" && rest.length === 2 && rest[0] === "--verdict") {
    return await report(rest[1]);
  }
  if (what === "task-key" && rest.length === 2) return await printTaskKey(rest[0], Number(rest[1]));
  if (what === "pipe") {
    const { values } = parseArgs({
      args: rest,
      options: {
        verdict: { type: "string" },
        pid: { type: "string" },
        "eof-is-done": { type: "boolean" },
      },
    });
    const { verdict, pid, "eof-is-done": eofIsDone } = values;
    return await pipe({ verdict, pid, eofIsDone });
  }
  process.stderr.write(USAGE);
  return what === "--help" ? 0 : 2;
}

if (!useSpool()) useProxiedFetch();
main(process.argv.slice(2)).catch((error) => {
  say(error instanceof Error ? error.message : String(error));
  return 1;
}).then((code) => process.exit(code));
