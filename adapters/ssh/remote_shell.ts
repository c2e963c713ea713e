/**
 * What is written to a shell on another machine. The command is always the same, so that a site may
 * allow just this one (`ForceCommand`), and neither names nor values show in a list of processes on
 * this side; everything else goes in on standard input.
 *
 * @module
 */
import { shellQuote } from "../shell_quote.ts";

/** The only command that is ever given to ssh; a login shell, so that it finds what a login would. */
export const REMOTE_SHELL = "bash -l -s";

/** How a job is run by {@linkcode jobText}. */
export interface RemoteJobText {
  /** Bytes of the job script, which follow on standard input. */
  bytes: number;
  /** File for its output; none by default. */
  output?: string;
  /** File for what it complains about; that of its output by default. */
  error?: string;
  /** Milliseconds between SIGTERM and SIGKILL. */
  killAfter: number;
}

/** How a program is run by {@linkcode programText}. */
export interface RemoteProgramText {
  /** Its name or path. */
  program: string;
  /** Its arguments. */
  args: readonly string[];
  /** Folder it runs in; the home folder by default. */
  cwd?: string;
  /** Variables that it shall not see. */
  unset?: RegExp;
  /** Whether the rest of standard input is the program's. */
  stdin: boolean;
}

/**
 * Shell text that runs a program between two marks, which tell its output from what a login prints.
 *
 * @param mark A word that nobody else knows.
 * @param how The program.
 * @returns The text; the program's input follows it.
 */
export function programText(mark: string, how: RemoteProgramText): string {
  const { program, args, cwd, unset, stdin } = how;
  const words = [program, ...args].map(shellQuote).join(" ");
  const lines = [marked(mark)];
  if (cwd !== undefined) {
    lines.push(`cd -- ${shellQuote(cwd)} 2>/dev/null || { echo ${mark} folder; exit 1; }`);
  }
  lines.push(
    `command -v -- ${shellQuote(program)} >/dev/null || { echo ${mark} missing; exit 127; }`,
  );
  if (unset) lines.push(`unset $(compgen -e | grep -E ${shellQuote(unset.source)})`);
  lines.push(
    `${words}${stdin ? "" : " </dev/null"}; printf '\\n%s end %s\\n' ${mark} $?; exit`,
    "",
  );
  return lines.join("\n");
}

/**
 * Shell text that runs a job script in a session of its own for as long as standard input stays open:
 * when it closes, for whatever reason, the session is ended.
 *
 * @param mark A word that nobody else knows.
 * @param how The job; its script follows the text.
 * @returns The text.
 */
export function jobText(mark: string, how: RemoteJobText): string {
  const output = how.output === undefined ? "/dev/null" : shellQuote(how.output);
  const file = how.error ?? how.output;
  const error = file === undefined
    ? ""
    : how.error === undefined || how.error === how.output
    ? " 2>&1"
    : ` 2>${shellQuote(how.error)}`;
  const start = (command: string) => `${command} <&4 4<&- 3<&- >${output}${error} &`;
  // one command, read to its end before any of it is run: the script follows
  return `${SESSION}
sr_main() {
${marked(mark)}
sr_file=$(umask 077 && mktemp "\${TMPDIR:-/tmp}/streamrelay.XXXXXXXX") || exit 1
head -c ${how.bytes} >"$sr_file"
exec 3<&0 4<"$sr_file"
if [ "$(wc -c <"$sr_file")" -ne ${how.bytes} ]; then rm -f "$sr_file"; exit 1; fi
rm -f "$sr_file"
sr_gone= && trap 'sr_gone=1' USR1 HUP TERM
if command -v setsid >/dev/null; then ${start("setsid bash -s")} else set -m; ${
    start("bash -s")
  } set +m; fi; sr_job=$!
echo ${mark} job $sr_job
exec 4<&-
(while IFS= read -r _; do :; done; kill -USR1 $$) <&3 >/dev/null 2>&1 &
sr_lifeline=$!
wait $sr_job; sr_code=$?; kill $sr_lifeline 2>/dev/null
[ -z "$sr_gone" ] || sr_end ${Math.ceil(how.killAfter / 100)}
${file === undefined ? ":" : `tail -c 8192 -- ${shellQuote(file)} >&2`}
printf '\\n%s end %s\\n' ${mark} $sr_code; exit $sr_code
}
sr_main
`;
}

/** The processes of a session, and how they are ended. */
const SESSION = `
sr_members() { local stat line; for stat in /proc/[0-9]*/stat; do
{ IFS= read -r line <"$stat"; } 2>/dev/null || continue
set -- "$1" \${line##*) }; if [ "$5" = "$1" ]; then echo "\${stat//[!0-9]/}"; fi; done; }
sr_end() { local left=$1 pid; kill -TERM -- "-$sr_job" 2>/dev/null
while [ "$left" -gt 0 ] && kill -0 "$sr_job" 2>/dev/null; do sleep 0.1; left=$((left - 1)); done
for pid in $(sr_members "$sr_job"); do kill -KILL "$pid" 2>/dev/null; done
kill -KILL -- "-$sr_job" 2>/dev/null; wait "$sr_job"; sr_code=$?; }`.trim();

/** On both outputs, for what comes before it is the login's own. */
function marked(mark: string): string {
  return `echo ${mark} start; echo ${mark} start >&2`;
}
