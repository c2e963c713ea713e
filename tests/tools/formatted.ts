/** @module */
import { runCommand } from "../systems/run_command.ts";

/**
 * A document as `deno fmt` leaves it, so that what is generated and what is kept can be compared.
 *
 * @param markdown The document.
 * @returns The same, formatted.
 */
export async function formatted(markdown: string): Promise<string> {
  const root = new URL("../../", import.meta.url).pathname;
  const { code, stdout, stderr } = await runCommand(
    [Deno.execPath(), "fmt", "--ext", "md", "-"],
    { cwd: root, stdin: markdown },
  );
  if (code !== 0) throw new Error(`Cannot format: ${stderr}`);
  return stdout;
}
