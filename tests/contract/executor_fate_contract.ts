/** What befalls a job before and beside its own end, and what its scheduler is told. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import type { Executor, StreamOptions } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { type ExecutorFixture, executorFixture } from "../systems/executor_fixture.ts";
import type { ExecutorContract } from "./executor_contract.ts";

/** How the contract gets jobs into trouble. */
export interface ExecutorFates extends ExecutorContract {
  /** Runs a test with an executor whose jobs wait in the queue; absent where none wait. */
  waiting?(fixture: ExecutorFixture, test: (executor: Executor) => Promise<void>): Promise<void>;
  /**
   * Options of a job with a time limit, and a line of its script that brings the end of that near; absent
   * where there are no limits.
   */
  limited?: { options: Record<string, unknown>; soon?: string };
  /**
   * Runs a test with an executor whose jobs may have 150 MB; absent where the scheduler can't tell that a
   * job had more.
   */
  hungry?(fixture: ExecutorFixture, test: (executor: Executor) => Promise<void>): Promise<void>;
  /** The options of one text that it takes, `extra` for those it takes as they are. */
  texts: readonly string[];
}

/** Takes 400 MB, and keeps them. */
const HUNGRY = `#!/usr/bin/env -S python3 -u
import time
print("go")
held = bytearray(400 << 20)
for at in range(0, len(held), 4096): held[at] = 1
time.sleep(300)`;

/**
 * Registers the tests.
 *
 * @param contract The executor to test.
 */
export function executorFateContract(contract: ExecutorFates): void {
  const test = (
    name: string,
    body: (fixture: ExecutorFixture) => Promise<void>,
  ) =>
    Deno.test({
      name: `${contract.name} - ${name}`,
      ignore: contract.ignore ?? false,
      async fn() {
        await using fixture = await executorFixture();
        await body(fixture);
      },
    });
  const { waiting, limited, hungry } = contract;

  if (waiting) {
    test("a job that is cancelled while it waits never runs", async (fixture) => {
      await waiting(fixture, async (executor) => {
        const stream = executor.stream({ text: `: > ${fixture.dir}/ran` });
        await stream.onChunk(async (event) => {
          if (event.type !== "status" || event.state !== "queued") return;
          assertEquals(await stream.cancel("no longer needed"), "scheduler");
        });
        const { reason, error } = await stream.result;
        assertEquals(reason, "cancelled");
        assert(error?.message.includes("no longer needed"), error?.message);
      });
      await assertRejects(() => Deno.stat(`${fixture.dir}/ran`), Deno.errors.NotFound);
    });
  }

  if (limited) {
    test("a job that runs out of time has failed so", async ({ config }) => {
      const stream = contract.make(config).stream(
        { text: `#!/bin/bash\n${limited.soon ?? ""}\necho go\nexec sleep 300` },
        undefined,
        limited.options as StreamOptions,
      );
      let text = "";
      const error = await assertRejects(async () => {
        for await (const token of stream) text += token;
      }, StreamError);
      assertEquals(text, "go\n");
      assertEquals(error.code, "walltime");
    });
  }

  if (hungry) {
    test("a job that takes more memory than it may has failed so", async (fixture) => {
      await hungry(fixture, async (executor) => {
        const error = await assertRejects(
          () => executor.stream({ text: HUNGRY }).text(),
          StreamError,
        );
        assertEquals(error.code, "oom");
      });
    });
  }

  test("hostile texts in options stay data, or are refused", async ({ config, dir }) => {
    // in the home folder, which no path needs a slash for
    const mark = `hostile-${crypto.randomUUID()}`;
    const command = `cd ~;touch ${mark}`;
    const hostile = `it's "so" $(${command}) \`${command}\` ;${command};&|*?[]{}!# --hold -h`;
    const run = async (name: string, text: string): Promise<string> => {
      const value = name === "output" || name === "error" ? `${dir}/${text}` : text;
      const options = { [name]: name === "extra" ? [value] : value };
      const executor = contract.make({
        ...config,
        encryption: "off",
        producer: { use: ["curl"] },
      });
      try {
        // some look at their options as soon as they are made, others with each stream
        const stream = executor.stream({ text: "echo ran" }, undefined, options as StreamOptions);
        assertEquals(await stream.text(), "ran\n", name);
        return "ran";
      } catch (error) {
        if (!(error instanceof StreamError)) throw error;
        return error.code;
      }
    };
    for (const text of [hostile, `a\n${hostile}`]) {
      const outcomes = await Promise.all(contract.texts.map(async (name) => {
        const outcome = await run(name, text);
        assert(TAKEN.includes(outcome), `option ${name}: ${outcome}`);
        return outcome;
      }));
      // a file may be called anything
      if (text === hostile) assert(outcomes.includes("ran"));
    }
    for (const name of contract.texts) assertEquals(await run(name, "a\0b"), "bad_request", name);
    const home = [...Deno.readDirSync(Deno.env.get("HOME") ?? "/root")];
    assert(!home.some((entry) => entry.name === mark), "an option was run as a command");
  });
}

/** What may come of a hostile text: it is a name like any other, or somebody has no such thing. */
const TAKEN = ["ran", "bad_request", "submit_failed"];
