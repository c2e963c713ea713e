/** What every executor carries, whatever its size and its letters. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Executor, ExecutorConfig } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorFixture } from "../systems/executor_fixture.ts";
import type { ExecutorContract } from "./executor_contract.ts";

/** Everything that a shell, a scheduler or a terminal might take for something else. */
export const HOSTILE =
  `'"\`$(touch hostile)\\;&|<>*?[]{}!#~ \t%j%h,=:^\r\n#SBATCH --hold\n#PBS -h\n€😀 --wrap=x -v A=b`;

/**
 * Registers the tests.
 *
 * @param contract The executor to test.
 */
export function executorLoadContract(contract: ExecutorContract): void {
  const test = (
    name: string,
    body: (make: (more?: ExecutorConfig) => Executor, dir: string) => Promise<void>,
  ) =>
    Deno.test({
      name: `${contract.name} - ${name}`,
      ignore: contract.ignore ?? false,
      async fn() {
        await using fixture = await executorFixture();
        await body((more) => contract.make({ ...fixture.config, ...more }), fixture.dir);
      },
    });

  test("a prompt of 1 MB goes in, and comes out", async (make) => {
    const prompt = "0123456789abcde\n".repeat(65_536);
    assertEquals(await make().stream({ text: "cat" }, prompt).text(), prompt);
  });

  test("100,000 lines arrive, in order", async (make) => {
    const text = await make().stream({ text: "seq 1 100000" }).text();
    const lines = text.split("\n");
    assertEquals(lines.length, 100_001);
    assert(lines.slice(0, -1).every((line, i) => line === String(i + 1)));
  });

  test("hostile texts stay data, wherever they stand", async (make, dir) => {
    const workdir = `${dir}/it's "$(here)" & €`;
    await Deno.mkdir(workdir);
    const executor = make({
      workdir,
      env: { HOSTILE },
      setup: [`export COPY="$HOSTILE"`],
    });
    const text = await executor.stream(
      { text: `#!/bin/bash\nprintf '%s\\0' "$1" "$HOSTILE" "$COPY" "$PWD"; cat` },
      HOSTILE,
      { args: [HOSTILE] },
    ).text();
    assertEquals(text.split("\0"), [HOSTILE, HOSTILE, HOSTILE, workdir, HOSTILE]);
    const left = [...Deno.readDirSync(workdir), ...Deno.readDirSync(dir)].map(({ name }) => name);
    assert(!left.includes("hostile"), left.join());
  });

  test("NUL is refused before anything is submitted", async (make) => {
    const cases: [ExecutorConfig, string[]][] = [
      [{ env: { A: "a\0b" } }, []],
      [{ setup: ["a\0b"] }, []],
      [{ workdir: "/tmp/a\0b" }, []],
      [{}, ["a\0b"]],
    ];
    for (const [config, args] of cases) {
      const error = await assertRejects(
        () => make(config).stream({ text: "echo never" }, undefined, { args }).text(),
        StreamError,
        "NUL",
      );
      assertEquals(error.code, "bad_request");
    }
  });
}
