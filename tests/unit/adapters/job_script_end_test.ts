/** How a job ends, with bash in the scheduler's place. @module */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { buildJobScript, WRAPPER_EXITS } from "../../../adapters/job/job_script.ts";
import { until } from "../../tools/until.ts";
import { openChannel } from "./producers/open_channel.ts";

import { failure, run, specFor, start, timings } from "./run_job_script.ts";

Deno.test("job script - success: text in the stream and in the job's output, nothing left behind", async () => {
  await using open = await openChannel();
  const { code, stdout, stderr, left } = await run(open, {
    program: { text: "echo one; echo note >&2; printf 'two €'" },
  });
  assertEquals({ code, stdout, stderr, left }, {
    code: 0,
    stdout: "one\ntwo €",
    stderr: "note\n",
    left: [],
  });
  assertEquals((await open.events).at(-1)?.type, "done");
  assertEquals(open.received(), "one\ntwo €");
});

Deno.test("job script - exit 7 ends the stream with code and the end of stderr", async () => {
  await using open = await openChannel();
  const { code } = await run(open, {
    program: { text: "seq 5000 >&2; echo 'out of luck' >&2; exit 7" },
  });
  assertEquals(code, 7);
  const { details, message } = await failure(open);
  assertEquals(message, "The program ended with exit code 7: out of luck");
  assertEquals(details?.exitCode, 7);
  const stderr = String(details?.stderr);
  assertEquals(stderr.length, 8192);
  assert(stderr.endsWith("5000\nout of luck\n"));
});

Deno.test("job script - a program that is killed ends the stream with its signal", async () => {
  await using open = await openChannel();
  assertEquals((await run(open, { program: { text: "kill -9 $$" } })).code, 137);
  assertEquals((await failure(open)).details?.signal, 9);
});

Deno.test("job script - SIGTERM to the job reaches the program, and the stream says so", async () => {
  await using open = await openChannel();
  const job = await start(buildJobScript(specFor(open, {
    program: { text: "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done" },
    timings: { ...timings, grace: 30 },
  })));
  await until("the program", () => open.received() === "ready\n");
  Deno.kill(job.pid, "SIGTERM");
  assertEquals((await job.ended).code, 143);
  assertEquals((await failure(open)).details?.signal, 15);
  assertEquals(open.received(), "ready\nbye\n");
});

Deno.test("job script - a program that ignores SIGTERM is killed after its grace", async () => {
  await using open = await openChannel();
  const job = await start(buildJobScript(specFor(open, {
    program: { text: "trap '' TERM; echo ready; while :; do sleep 0.05; done" },
  })));
  await until("the program", () => open.received() === "ready\n");
  Deno.kill(job.pid, "SIGTERM");
  assertEquals((await job.ended).code, 137);
  assertEquals((await failure(open)).details?.signal, 15);
});

Deno.test("job script - signals that come as the program ends: the job ends all the same", async () => {
  // Where bash collects a child as a signal comes, it forgets it. Each round meets that moment now and then.
  for (let round = 0; round < 16; round++) {
    await using open = await openChannel();
    const job = await start(buildJobScript(specFor(open, {
      program: { text: "echo ready; exec sleep 60" },
    })));
    await until("the program", () => open.received() === "ready\n");
    let due = performance.now();
    for (let sent = 0; sent < 25; sent++) {
      while (performance.now() < due);
      Deno.kill(job.pid, "SIGTERM");
      due += Math.random() * 0.5;
    }
    assertEquals((await job.ended).code, 143);
    assertEquals((await failure(open)).details?.signal, 15);
  }
});

Deno.test("job script - SIGUSR1 is passed on, and the program goes on", async () => {
  await using open = await openChannel();
  const job = await start(buildJobScript(specFor(open, {
    program: {
      text: "trap 'echo saved; exit 0' USR1; echo ready; while :; do sleep 0.05; done",
    },
  })));
  await until("the program", () => open.received() === "ready\n");
  Deno.kill(job.pid, "SIGUSR1");
  assertEquals((await job.ended).code, 0);
  assertEquals((await open.events).at(-1)?.type, "done");
  assertEquals(open.received(), "ready\nsaved\n");
});

Deno.test("job script - a cancel while it runs ends the program and the stream", async () => {
  await using open = await openChannel();
  const job = await start(buildJobScript(specFor(open, {
    program: { text: "echo ready; sleep 60" },
  })));
  await until("the program", () => open.received() === "ready\n");
  await open.control.cancel(open.channel.id, "enough");
  assertEquals((await job.ended).code, 143);
  assertEquals((await failure(open)).code, "cancelled");
});

Deno.test("job script - cancelled before it starts, it runs nothing", async () => {
  await using open = await openChannel();
  await open.control.cancel(open.channel.id);
  const { code, stdout, stderr, left } = await run(open, {});
  assertEquals({ code, stdout, left }, { code: WRAPPER_EXITS.cancelled, stdout: "", left: [] });
  assertStringIncludes(stderr, "cancelled");
});
