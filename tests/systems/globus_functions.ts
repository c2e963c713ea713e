/** Python functions that stream by themselves, wherever they are called. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { GlobusComputeExecutor, GlobusConfig } from "../../adapters/mod.ts";
import { RelayConsumer } from "../../client/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";

/** How the tests get executors. */
export interface FunctionContract {
  /** What the tests are called by. */
  name: string;
  /** Makes one. */
  make(config: GlobusConfig): GlobusComputeExecutor;
  /** Leaves the tests out. */
  ignore: boolean;
}

const STREAMS = {
  text: `
import os
import time
from streamrelay import RelayProducer

def _shout(word):
    return word.upper() + " "

def infer(prompt, relay_url, channel_id, relay_secret="", shout=True):
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        for word in prompt.split():
            relay.send_token(_shout(word) if shout else word + " ")

def patient(until, relay_url, channel_id, relay_secret=""):
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        while not os.path.exists(until):
            time.sleep(0.05)

def boom(relay_url, channel_id, relay_secret=""):
    raise ValueError("no such model: é😀")

def late_boom(relay_url, channel_id, relay_secret=""):
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        relay.send_token("partial")
        raise ValueError("out of tokens")

def private(prompt, relay_url, channel_id, relay_secret="", encryption_key=""):
    producer = RelayProducer(
        relay_url, channel_id, relay_secret=relay_secret, encryption_key=encryption_key
    )
    with producer as relay:
        for word in prompt.split():
            relay.send_token(word + " ")
        if prompt == "boom":
            raise ValueError("out of tokens")

def silent(relay_url, channel_id, relay_secret=""):
    return "forgot to stream"
`,
};

/**
 * Registers the tests.
 *
 * @param contract Where functions are called.
 */
export function functionContract({ name, make, ignore }: FunctionContract): void {
  const test = (
    what: string,
    body: (executor: GlobusComputeExecutor, fixture: ExecutorFixture) => Promise<void>,
  ) =>
    Deno.test({
      name: `${name} function - ${what}`,
      ignore,
      async fn() {
        await using fixture = await executorFixture();
        await body(make(fixture.config), fixture);
      },
    });

  test("its arguments go in, its tokens come out", async (executor) => {
    const stream = executor.stream({
      python: STREAMS,
      function: "infer",
      arguments: { prompt: "what is a tide é😀", shout: false },
    });
    const tokens: string[] = [];
    for await (const token of stream) tokens.push(token);
    assertEquals(tokens.join(""), "what is a tide é😀 ");
    assertEquals((await stream.result).reason, "completed");
  });

  test("an input becomes the argument prompt, by way of the relay", async (executor) => {
    const text = await executor.stream({ python: STREAMS, function: "infer" }, "what is a tide")
      .text();
    assertEquals(text, "WHAT IS A TIDE ");
  });

  test("with v1 it encrypts, and the relay sees neither input nor tokens", async (executor) => {
    const options = { encryption: "v1" } as const;
    const call = { python: STREAMS, function: "private" };
    const job = await executor.submit(call, "what is a tide é😀", options);
    assertEquals([job.encryption, job.key?.length], ["v1", 64]);
    const seen = new RelayConsumer({
      url: job.relay,
      channel: job.channel,
      token: job.tokens.supervise,
      key: "",
    }).stream();
    const stream = executor.attach(job);
    const events = await Array.fromAsync(stream.events());
    const text = events.map((event) => event.type === "token" ? event.content : "").join("");
    assertEquals(text, "what is a tide é😀 ");
    assertEquals(events.at(-1)?.type, "done");
    const submitted = events.find((event) => event.type === "status");
    assertEquals(submitted?.details, { encryption: "v1" });
    assertStringIncludes(submitted?.reason ?? "", "Encryption v1");
    // who has no key gets no word of it, and is told so
    const error = await assertRejects(() => seen.text(), StreamError);
    assertEquals(error.code, "decrypt_failed");

    const failing = executor.stream({ ...call, arguments: { prompt: "boom" } }, undefined, options);
    const raised = await assertRejects(() => failing.text(), StreamError, "out of tokens");
    assertEquals(raised.code, "job_failed");
  });

  test("it is followed as any job is", async (executor, { dir }) => {
    const states: string[] = [];
    const call = { python: STREAMS, function: "patient", arguments: { until: `${dir}/go` } };
    for await (const event of executor.stream(call).events()) {
      if (event.type !== "status") continue;
      states.push(event.state);
      if (event.state === "running") await Deno.writeTextFile(`${dir}/go`, "");
    }
    assertEquals(states[0], "submitted");
    assert(states.includes("running"));
  });

  test("what it raises before it streams is told, with its traceback", async (executor) => {
    const error = await assertRejects(
      () => executor.stream({ python: STREAMS, function: "boom" }).text(),
      StreamError,
      "ValueError: no such model: é😀",
    );
    assertEquals(error.code, "job_failed");
    assertStringIncludes(String(error.details.stderr), "in boom");
    assert(!String(error.details.stderr).includes("streamrelay_call"));
  });

  test("what it raises while it streams is told", async (executor) => {
    const stream = executor.stream({ python: STREAMS, function: "late_boom" });
    let text = "";
    const error = await assertRejects(
      async () => {
        for await (const token of stream) text += token;
      },
      StreamError,
      "out of tokens",
    );
    assertEquals(text, "partial");
    assertEquals(error.code, "job_failed");
  });

  test("one that never streamed has not succeeded", async (executor) => {
    const error = await assertRejects(
      () => executor.stream({ python: STREAMS, function: "silent" }).text(),
      StreamError,
    );
    assertEquals(error.code, "producer_lost");
  });

  test("what can't be said of it is refused", async (executor) => {
    const call = { python: STREAMS, function: "infer" };
    for (
      const [option, refused] of [
        ["function", { ...call, function: "os.system" }],
        ["arguments", { ...call, arguments: { relay_url: "ws://elsewhere" } }],
        ["functionUuid", { functionUuid: "infer" }],
        ["Python source", { ...call, python: "/no/such/infer.py" }],
      ] as const
    ) {
      const error = await assertRejects(() => executor.stream(refused).text(), StreamError, option);
      assertEquals(error.code, "bad_request");
    }
    for (const options of [{ time: 5 }, { encryption: "v2" }, { credentials: "file" }] as const) {
      await assertRejects(
        () => executor.stream(call, undefined, options).text(),
        StreamError,
        Object.keys(options)[0],
      );
    }
  });
}
