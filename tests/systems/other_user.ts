/** @module */
import { runCommand } from "./run_command.ts";

const OTHER_USER = "streamrelay-test";

/**
 * An account without password or home, for checks "as another user"; it is left in place, as packages
 * are.
 *
 * @returns `STREAMRELAY_TEST_OTHER_USER`, where there can be one.
 */
export async function otherUser(): Promise<Record<string, string>> {
  if (Deno.uid() !== 0) return {};
  const exists = async () => (await runCommand(["id", "-u", OTHER_USER])).code === 0;
  if (!await exists()) {
    await runCommand([
      "useradd",
      "--system",
      "--shell",
      "/bin/bash",
      "--home-dir",
      "/tmp",
      OTHER_USER,
    ]);
  }
  return await exists() ? { STREAMRELAY_TEST_OTHER_USER: OTHER_USER } : {};
}
