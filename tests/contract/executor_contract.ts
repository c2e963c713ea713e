/** What every executor does, whatever runs its jobs. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Executor, ExecutorConfig } from "../../adapters/mod.ts";
import type { StreamEvent } from "../../stream/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { type ExecutorFixture, executorFixture } from "../systems/executor_fixture.ts";

/** How the contract gets executors. */
export interface ExecutorContract {
  /** What the tests are called by. */
  name: string;
  /** Makes one. */
  make(config: ExecutorConfig): Executor;
  /** Leaves the tests out. */
  ignore?: boolean;
}

/**
 * Registers the tests.
 *
 * @param contract The executor to test.
 */
export function executorContract(contract: ExecutorContract): void {
  const test = (
    name: string,
    body: (executor: Executor, fixture: ExecutorFixture) => Promise<void>,
  ) =>
    Deno.test({
      name: `${contract.name} - ${name}`,
      ignore: contract.ignore ?? false,
      async fn() {
        await using fixture = await executorFixture();
        await body(contract.make(fixture.config), fixture);
      },
    });

  test("the prompt goes in, text comes out while the job runs", async (executor, { dir }) => {
    // the job goes on only when its first words were read here
    const stream = executor.stream({
      text: `#!/bin/bash
read prompt; echo "you said $prompt"
until [ -e ${dir}/go ]; do sleep 0.05; done
echo bye`,
    }, "hello\n");
    let text = "";
    for await (const token of stream) {
      text += token;
      if (text === "you said hello\n") await Deno.writeTextFile(`${dir}/go`, "");
    }
    assertEquals(text, "you said hello\nbye\n");
    const { reason, job } = await stream.result;
    assertEquals(reason, "completed");
    assert(job.id);
  });

  test("a job is followed from submission to its end", async (executor) => {
    const events: StreamEvent[] = [];
    for await (const event of executor.stream({ text: "echo hi" }).events()) {
      events.push(event);
    }
    const states = events.filter((event) => event.type === "status");
    // not always the first: a job may speak before the answer to its submission is heard
    const at = states.findIndex((event) => event.state === "submitted");
    assertEquals(states[at]?.details, { encryption: "v2" });
    assert(states.slice(0, at).every((event) => event.state === "running"));
    const running = states.find((event) => event.state === "running");
    assert(running?.node);
    assertEquals(events.at(-1)?.type, "done");
  });

  test("exit code 7 and the end of stderr are told", async (executor) => {
    const stream = executor.stream({
      text: "#!/bin/bash\necho partial\necho 'no such model' >&2\nexit 7",
    });
    let text = "";
    const error = await assertRejects(async () => {
      for await (const token of stream) text += token;
    }, StreamError);
    assertEquals(text, "partial\n");
    assertEquals(error.code, "job_failed");
    assertEquals(error.details.exitCode, 7);
    assertStringIncludes(String(error.details.stderr), "no such model");
    assertEquals((await stream.result).reason, "job_failed");
  });

  test("a program killed by a signal has failed", async (executor) => {
    const error = await assertRejects(
      () => executor.stream({ text: "#!/bin/bash\nkill -9 $$" }).text(),
      StreamError,
    );
    assertEquals(error.code, "job_failed");
    assertEquals(error.details.signal, 9);
  });

  test("the result comes without a reader", async (executor) => {
    const result = await executor.stream({ text: "echo unread" }).result;
    assertEquals(result.reason, "completed");
  });

  test("UTF-8 one byte at a time arrives whole", async (executor) => {
    const stream = executor.stream({
      text: `#!/bin/bash
for byte in e2 82 ac f0 9f 98 80 c3 a9; do printf "\\x$byte"; sleep 0.05; done`,
    });
    let text = "";
    for await (const token of stream) {
      assert(!token.includes("\ufffd"), `torn: ${JSON.stringify(token)}`);
      text += token;
    }
    assertEquals(text, "€😀é");
  });

  test(
    "arguments, set-up, environment and folder reach the program",
    async (_, { config, dir }) => {
      const executor = contract.make({
        ...config,
        setup: ["export FROM_SETUP='set up'"],
        env: { FROM_ENV: 'it\'s "quoted", $HOME' },
      });
      const text = await executor.stream(
        { text: '#!/bin/bash\necho "$1|$FROM_SETUP|$FROM_ENV|$PWD"' },
        undefined,
        { args: ["an argument"] },
      ).text();
      assertEquals(
        text,
        `an argument|set up|it's "quoted", $HOME|${await Deno.realPath(dir)}\n`,
      );
    },
  );

  test(
    "no credential of the submitter or the job is in the program's environment",
    async (executor, { secret }) => {
      const names = ["RELAY_SECRET", "STREAMRELAY_TOKEN", "RELAY_ENCRYPTION_KEY"];
      for (const name of names) Deno.env.set(name, `secret-of-${name}`);
      try {
        const text = await executor.stream({ text: "env" }).text();
        assert(!/^(RELAY_SECRET|STREAMRELAY_TOKEN|RELAY_ENCRYPTION_KEY)=/m.test(text));
        assert(!text.includes("secret-of-"));
        assert(!text.includes(secret));
      } finally {
        for (const name of names) Deno.env.delete(name);
      }
    },
  );

  test("cancel while running ends the job, and the reader quietly", async (executor, { dir }) => {
    const stream = executor.stream({
      text: `#!/bin/bash\ntrap ': > ${dir}/ended' EXIT\necho go\nsleep 60 & wait`,
    });
    let text = "";
    for await (const token of stream) {
      text += token;
      assertEquals(await stream.cancel("enough"), "scheduler");
    }
    assertEquals(text, "go\n");
    const { reason, error } = await stream.result;
    assertEquals(reason, "cancelled");
    assertEquals(error?.details.cancelled, true);
    await until(`${dir}/ended`);
  });

  test("cancel before anything happened submits nothing, or ends what was submitted", async (executor) => {
    const stream = executor.stream({ text: "sleep 60" });
    await stream.cancel();
    assertEquals((await stream.result).reason, "cancelled");
  });

  test("an aborted signal is a cancel", async (executor) => {
    const stop = new AbortController();
    const stream = executor.stream(
      { text: "#!/bin/bash\necho go\nexec sleep 60" },
      undefined,
      { signal: stop.signal },
    );
    for await (const _ of stream) stop.abort("changed my mind");
    assertEquals((await stream.result).reason, "cancelled");
  });

  test("branches of a stream read the same", async (executor) => {
    const [one, two] = executor.stream({ text: "seq 1 50" }).tee();
    const [a, b] = await Promise.all([one.text(), two.text()]);
    assertEquals(a, b);
    assertEquals(a.trim().split("\n").length, 50);
  });

  test("a script that isn't there is named", async (executor) => {
    const error = await assertRejects(
      () => executor.stream("/no/such/infer.sh").text(),
      StreamError,
      "/no/such/infer.sh",
    );
    assertEquals(error.code, "bad_request");
  });

  test("a relay that isn't there is named", async (_, { config }) => {
    const executor = contract.make({
      ...config,
      relay: { url: "ws://127.0.0.1:9", token: "t" },
    });
    const stream = executor.stream({ text: "echo never" });
    const error = await assertRejects(
      () => stream.text(),
      StreamError,
      "127.0.0.1:9",
    );
    assertEquals(error.code, "unreachable");
    assertEquals((await stream.result).reason, "unreachable");
  });

  test("a relay that goes away for good ends the stream", async (_, { config, relay }) => {
    const executor = contract.make({ ...config, giveUpAfter: 100 });
    const stream = executor.stream({
      text: "#!/bin/bash\necho go\nexec sleep 5",
    });
    const error = await assertRejects(async () => {
      for await (const _ of stream) await relay.close();
    }, StreamError);
    assertEquals(error.code, "unreachable");
    assertEquals((await stream.result).reason, "unreachable");
  });

  test("caps on jobs are kept", async (_, { config }) => {
    const executor = contract.make({ ...config, maxJobs: 1 });
    const first = executor.stream({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    const error = await assertRejects(
      () => executor.stream({ text: "echo two" }).text(),
      StreamError,
      "maxJobs",
    );
    assertEquals(error.code, "limit");
    for await (const _ of first) await first.cancel();
    assertEquals(await executor.stream({ text: "echo three" }).text(), "three\n");
  });

  test("an input that is too large is refused before anything is submitted", async (executor) => {
    const error = await assertRejects(
      () => executor.stream({ text: "cat" }, new Uint8Array(17 << 20)).text(),
      StreamError,
    );
    assertEquals(error.code, "too_large");
  });
}

/** Waits until a file is there. */
export async function until(path: string): Promise<void> {
  for (;;) {
    try {
      await Deno.stat(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
