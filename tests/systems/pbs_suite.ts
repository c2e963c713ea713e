/** Where tests of PBS run. @module */
import { assertEquals } from "@std/assert";
import type { Needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

/**
 * Registers tests that submit to PBS. A real one lives in namespaces of its own, where relay and tests
 * have to be too: then one test runs the whole file there.
 *
 * @param file The test file, `import.meta.url`.
 * @param needs What `needs("pbs")` says; it stands in the test file, where the runner looks for it.
 * @param register Registers its tests.
 */
export function pbsSuite(
  file: string,
  { ignore }: Needs,
  register: (ignore: boolean) => void,
): void {
  const real = Deno.env.get("STREAMRELAY_TEST_PBS_REAL");
  if (real === undefined || Deno.env.get("STREAMRELAY_TEST_PBS_INSIDE")) return register(ignore);
  Deno.test(`pbs - all of ${file.split("/").at(-1)}, where the real one lives`, async () => {
    const { code, stdout } = await runCommand([
      "nsenter",
      ...["-t", real, "-n", "-m", "-u", "-p", "--"],
      Deno.execPath(),
      ...["test", "-A", "--no-prompt", file],
    ], { env: { STREAMRELAY_TEST_PBS_INSIDE: "1" } });
    assertEquals(code, 0, stdout);
  });
}
