/** Scripts as tasks of Globus Compute. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { GlobusComputeExecutor, type RelayChoice } from "../../adapters/mod.ts";
import { ControlClient } from "../../client/mod.ts";
import type { StatusEvent } from "../../stream/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { type GlobusFixture, globusFixture } from "./globus_fixture.ts";
import type { StandInOptions } from "./globus_stand_in.ts";
import { onPath } from "./on_path.ts";

const ignore = onPath("python3") === undefined;
const SUBMIT = /submit$/;
const PROMPT = "the-prompt-that-nobody-else-may-see";

function test(
  name: string,
  body: (fixture: GlobusFixture) => Promise<void>,
  options?: StandInOptions,
): void {
  Deno.test({
    name: `globus - ${name}`,
    ignore,
    async fn() {
      await using fixture = await globusFixture(options);
      await body(fixture);
    },
  });
}

test("the service gets to see neither the prompt nor the relay's secret", async ({ make, service, secret }) => {
  const text = await make().stream({ text: "cat" }, PROMPT).text();
  assertEquals(text, PROMPT);
  const seen = JSON.stringify(service.requests);
  assert(!seen.includes(PROMPT));
  assert(!seen.includes(secret));
});

test(
  "a cancel while queued is recorded, and the task ends at once when it starts",
  async (fixture) => {
    const { make, service, dir } = fixture;
    const stream = make().stream({ text: `: > ${dir}/ran` });
    await stream.onChunk(async (event) => {
      if (event.type !== "status" || event.state !== "queued") return;
      assertEquals(await stream.cancel("no longer needed"), "recorded");
    });
    const { reason, error } = await stream.result;
    assertEquals(reason, "cancelled");
    assertStringIncludes(error!.message, "no longer needed");
    service.release();
    await service.idle();
    await assertRejects(() => Deno.stat(`${dir}/ran`), Deno.errors.NotFound);
  },
  { held: true },
);

test("one question is asked about all tasks that wait", async ({ make, service }) => {
  const executor = make();
  const streams = Array.from({ length: 12 }, () => executor.stream({ text: "echo never" }));
  const asked = () => service.requests.filter(({ what }) => what === "POST /v2/batch_status");
  const all = () => asked().find(({ body }) => JSON.parse(body).task_ids.length === 12);
  await until("a question about all tasks", all);
  await Promise.all(streams.map((stream) => stream.cancel()));
  for (const stream of streams) assertEquals((await stream.result).reason, "cancelled");
}, { held: true });

test("a submit that is refused is told in the service's own words", async ({ make, count }) => {
  const error = await assertRejects(
    () => make({ endpoint: crypto.randomUUID() }).stream({ text: "echo never" }).text(),
    StreamError,
    "could not be resolved (ENDPOINT_NOT_FOUND, HTTP 404)",
  );
  assertEquals(error.code, "submit_failed");
  assertEquals(error.details.code, "ENDPOINT_NOT_FOUND");
  assertEquals(count(SUBMIT), 1);
});

for (const status of [429, 500, 503]) {
  test(`a submit that was answered with ${status} is not sent again`, async ({ make, count }) => {
    await assertRejects(
      () => make().stream({ text: "echo never" }).text(),
      StreamError,
      "come back later",
    );
    assertEquals(count(SUBMIT), 1);
  }, {
    answer: ({ what }) =>
      SUBMIT.test(what)
        ? Response.json({ code: "BUSY", detail: "come back later" }, { status })
        : undefined,
  });
}

test("a submit without an answer is not sent again, and its task runs nothing", async (fixture) => {
  const { make, count, service, dir } = fixture;
  const error = await assertRejects(
    () => make({ requestTimeout: 3_000 }).stream({ text: `: > ${dir}/ran` }).text(),
    StreamError,
    "should it start, it ends at once",
  );
  assertEquals(error.code, "submit_failed");
  assertEquals(count(SUBMIT), 1);
  service.release();
  await service.idle();
  await assertRejects(() => Deno.stat(`${dir}/ran`), Deno.errors.NotFound);
}, { held: true, silentSubmits: true });

let refusals = 0;
test("questions that are not answered are asked again", async ({ make, count }) => {
  refusals = 3;
  const reasons: (string | undefined)[] = [];
  const stream = make().stream({ text: "#!/bin/bash\necho go\nkill -9 $$" });
  for await (const event of stream.events()) {
    if (event.type === "status") reasons.push(event.reason);
  }
  assertEquals((await stream.result).error?.details.signal, 9);
  assertStringIncludes(reasons.join(), "maintenance");
  assert(count(/batch_status$/) > 3);
}, {
  answer: ({ what }) =>
    what.endsWith("batch_status") && refusals-- > 0
      ? Response.json({ detail: "maintenance" }, { status: 503 })
      : undefined,
});

test("a token that is refused is renewed", async ({ make, service, count }) => {
  const executor = make();
  assertEquals(await executor.stream({ text: "echo one" }).text(), "one\n");
  service.revoke();
  assertEquals(await executor.stream({ text: "echo two" }).text(), "two\n");
  assertEquals(count(/token$/), 2);
});

test("a wrong secret of the client is told before anything is made", async ({ make, service, count }) => {
  const login = { ...service.client, clientSecret: "not-the-secret" };
  const error = await assertRejects(
    () => make({ login }).stream({ text: "echo never" }).text(),
    StreamError,
    "refused to log in",
  );
  assertEquals(error.code, "unauthorized");
  assert(!JSON.stringify(error.toJSON()).includes("not-the-secret"));
  assertEquals(count(SUBMIT), 0);
});

test("a token that was given is used as it is", async ({ make, service }) => {
  const answer = await fetch(`${service.url}/v2/oauth2/token`, {
    method: "POST",
    body: new URLSearchParams({ grant_type: "refresh_token", refresh_token: "the-refresh-token" }),
  });
  const { access_token: token } = await answer.json();
  assertEquals(await make({ login: { token } }).stream({ text: "echo hi" }).text(), "hi\n");
  service.revoke();
  const error = await assertRejects(
    () => make({ login: { token } }).stream({ text: "echo hi" }).text(),
    StreamError,
    "Credentials are invalid",
  );
  assertEquals(error.code, "unauthorized");
});

test("the function that runs scripts is registered once", async ({ make, service, count }) => {
  for (let i = 0; i < 2; i++) {
    assertEquals(await make().stream({ text: "echo hi" }).text(), "hi\n");
  }
  assertEquals(count(/functions$/), 1);
  // it is gone at the service, and known here: a refusal, after which nothing has run
  service.forgetFunctions();
  assertEquals(await make().stream({ text: "echo hi" }).text(), "hi\n");
  assertEquals(count(/functions$/), 2);
});

test("a function that an endpoint allows is used, and none registered", async ({ make, service, count }) => {
  const functionUuid = await make().registerFunction({ public: true });
  assertEquals(JSON.parse(service.requests.at(-1)!.body).public, true);
  assertEquals(await make({ functionUuid }).stream({ text: "echo hi" }).text(), "hi\n");
  assertEquals(count(/functions$/), 1);
});

test("an endpoint's variables and resources are passed on", async ({ make, service }) => {
  await make({
    userEndpointConfig: { partition: "gpu" },
    resourceSpecification: { num_nodes: 2 },
  }).stream({ text: "echo hi" }).text();
  const { body } = service.requests.find(({ what }) => SUBMIT.test(what))!;
  const { user_endpoint_config, resource_specification, create_queue } = JSON.parse(body);
  assertEquals(user_endpoint_config, { partition: "gpu" });
  assertEquals(resource_specification, { num_nodes: 2 });
  assertEquals(create_queue, false);
});

test("an endpoint that is offline is told of", async ({ make }) => {
  let submitted: StatusEvent | undefined;
  for await (const event of make().stream({ text: "echo hi" }).events()) {
    if (event.type === "status" && event.state === "submitted") submitted = event;
  }
  assertEquals(submitted?.reason, "The endpoint is offline; the task waits for it");
}, { endpointStatus: "offline" });

test("a time limit ends the job", async ({ make }) => {
  const error = await assertRejects(
    () => make({ time: "0:01" }).stream({ text: "#!/bin/bash\necho go\nexec sleep 60" }).text(),
    StreamError,
  );
  assertEquals(error.code, "walltime");
});

test("a lost worker is told, and its job does not outlive it", async ({ make, service, dir }) => {
  const stream = make().stream({
    text: `#!/bin/bash\ntrap ': > ${dir}/ended; exit 1' TERM\necho go\nsleep 60 & wait`,
  });
  const error = await assertRejects(async () => {
    for await (const _ of stream) service.killWorkers();
  }, StreamError);
  assertEquals(error.code, "node_failure");
  await until("the end of the job", () => Deno.stat(`${dir}/ended`).catch(() => undefined));
});

test("a job without a producer tells why", async ({ make }) => {
  const error = await assertRejects(
    () =>
      make({ producer: { use: ["streamrelay-producer"] } }).stream({ text: "echo never" }).text(),
    StreamError,
  );
  assertEquals(error.code, "job_failed");
  assertEquals(error.details.exitCode, 86);
  assertStringIncludes(String(error.details.stderr), "no producer can be used");
});

test("output and error files are written where the task runs", async ({ make, dir }) => {
  await make({ output: "out.txt", error: "err.txt" })
    .stream({ text: "#!/bin/bash\necho out\necho err >&2" }).text();
  assertEquals(await Deno.readTextFile(`${dir}/out.txt`), "out\n");
  assertEquals(await Deno.readTextFile(`${dir}/err.txt`), "err\n");
});

test("an output file that can't be written is told", async ({ make }) => {
  const error = await assertRejects(
    () => make({ output: "/no/such/folder/out.txt" }).stream({ text: "echo never" }).text(),
    StreamError,
    "/no/such/folder/out.txt",
  );
  assertEquals(error.code, "job_failed");
});

test("an endpoint of old answers in pickles, which are understood", async ({ make }) => {
  const error = await assertRejects(
    () => make().stream({ text: "#!/bin/bash\necho go\nkill -9 $$" }).text(),
    StreamError,
  );
  assertEquals(error.details.signal, 9);
}, { pickled: true });

test(
  "a job that was left is taken up by another process, and cancelled",
  async ({ make, service }) => {
    const job = await make().submit({ text: "#!/bin/bash\necho go\nexec sleep 60" });
    assertEquals(job.executor, "globus");
    service.release();
    // what another process knows is the record, and who it is
    const other = new GlobusComputeExecutor({
      login: service.client,
      serviceUrl: service.url,
      authUrl: service.url,
      timings: { pollEvery: 300, pollFirst: 100 },
    });
    const stream = other.attach(job);
    for await (const token of stream) {
      assertEquals(token, "go\n");
      await stream.cancel();
    }
    assertEquals((await stream.result).reason, "cancelled");
  },
  { held: true },
);

test("a job whose stream is over ends, though its producer did not hear of it", async (fixture) => {
  const { make, service, dir, relay } = fixture;
  const job = await make({ lookEvery: 0.1, producer: { use: ["curl"] }, encryption: "off" }).submit(
    {
      text: `#!/bin/bash\ntrap ': > ${dir}/ended; exit 1' TERM\n: > ${dir}/began\nsleep 60 & wait`,
    },
  );
  const there = (name: string) => () => Deno.stat(`${dir}/${name}`).catch(() => undefined);
  await until("the start of the job", there("began"));
  const control = new ControlClient({ url: relay.url, token: job.tokens.supervise });
  await control.end(job.channel, { kind: "error", code: "job_failed", message: "by hand" });
  await until("the end of the job", there("ended"));
  await service.idle();
  const fate = await make().explain(job.jobId);
  assertEquals(fate?.code, "producer_lost");
  assertStringIncludes(fate!.message, "its job was ended for it");
});

test("a relay that does not know the stream is named", async ({ make, config }) => {
  await using other = await executorFixture();
  const { url, token } = config.relay as RelayChoice;
  const error = await assertRejects(
    () =>
      make({ relay: { url, token, jobUrl: other.relay.url } }).stream({ text: "echo never" })
        .text(),
    StreamError,
    "jobUrl",
  );
  assertEquals(error.code, "producer_lost");
});

test("a megabyte of prompt, and a hundred thousand lines", async ({ make }) => {
  const prompt = "0123456789abcde\n".repeat(65_536);
  const text = await make().stream({ text: "wc -c; seq 100000" }, prompt).text();
  const lines = text.trim().split("\n");
  assertEquals(lines[0].trim(), "1048576");
  assertEquals(lines.length, 100_001);
  assertEquals(lines.at(-1), "100000");
});

test("hostile texts stay data", async ({ make, dir }) => {
  const hostile = `'"; touch ${dir}/pwned; $(touch ${dir}/pwned) \`touch ${dir}/pwned\`\n{x} é😀`;
  await Deno.mkdir(`${dir}/${hostile.replaceAll("/", "_")}`);
  const workdir = `${dir}/${hostile.replaceAll("/", "_")}`;
  const text = await make({
    env: { HOSTILE: hostile },
    workdir,
    output: `${hostile.replaceAll("/", "_")}.txt`,
  })
    .stream({ text: `printf '%s|%s' "$1" "$HOSTILE"` }, undefined, { args: [hostile] }).text();
  assertEquals(text, `${hostile}|${hostile}`);
  await assertRejects(() => Deno.stat(`${dir}/pwned`), Deno.errors.NotFound);
  const error = await assertRejects(
    () => make({ env: { HOSTILE: "a\0b" } }).stream({ text: "echo never" }).text(),
    StreamError,
    "NUL",
  );
  assertEquals(error.code, "bad_request");
});
