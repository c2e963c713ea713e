/** What becomes of what Globus Compute says. @module */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { serviceError } from "../../../adapters/globus/service_error.ts";
import { taskReport } from "../../../adapters/globus/task_report.ts";
import { TaskWatch } from "../../../adapters/globus/task_watch.ts";
import type { JobReport } from "../../../adapters/mod.ts";

/** A task that returned what our functions do. */
function success(answer: Record<string, unknown>) {
  const text = JSON.stringify({ ...answer, streamrelay: 1, node: "n1" });
  return taskReport({ status: "success", result: `11\n${JSON.stringify(text)}` });
}

Deno.test("globus report - where a task is", () => {
  for (const status of ["received", "waiting-for-ep", "waiting-for-nodes", "some-new-word"]) {
    assertEquals(taskReport({ status }), { phase: "pending", state: status, reason: status });
  }
  for (const status of ["execution-start", "running", "RUNNING"]) {
    assertEquals(taskReport({ status }).phase, "active");
  }
});

Deno.test("globus report - how a script ended", () => {
  const cases = [
    [{ outcome: "exit", exitCode: 0 }, "completed", { exitCode: 0 }],
    [{ outcome: "exit", exitCode: 7, stderr: "oh" }, "job_failed", { exitCode: 7, stderr: "oh" }],
    [{ outcome: "exit", exitCode: 137 }, "job_failed", { exitCode: 137, signal: 9 }],
    [{ outcome: "exit", signal: 9 }, "job_failed", { signal: 9 }],
    [{ outcome: "walltime", exitCode: 143 }, "walltime", { exitCode: 143 }],
    [{ outcome: "over", why: "cancelled" }, "cancelled", { cancelled: true }],
    [{ outcome: "over", why: "not_found" }, "producer_lost", {}],
  ] as const;
  for (const [answer, code, details] of cases) {
    const report = success(answer);
    assertEquals(report.phase, "ended");
    assertEquals(report.node, "n1");
    assertEquals(report.fate?.code, code);
    assertEquals(report.fate?.details, { ...details, node: "n1" });
  }
});

Deno.test("globus report - what a function raised", () => {
  const raised = (kind: string, message: string) =>
    success({ outcome: "raised", kind, message, stderr: "Traceback" }).fate;
  assertEquals(raised("ValueError", "ValueError: bad thing")?.code, "job_failed");
  assertEquals(raised("ValueError", "ValueError: bad thing")?.message, "ValueError: bad thing");
  assertEquals(raised("MemoryError", "MemoryError")?.code, "oom");
  assertEquals(raised("AppTimeout", "AppTimeout: 60 s")?.code, "walltime");
  // a word in a message is no kind of exception
  assertEquals(raised("ValueError", "ValueError: MemoryError")?.code, "job_failed");
});

Deno.test("globus report - what Globus Compute says itself", () => {
  const failed = (exception: string) => taskReport({ status: "failed", exception }).fate;
  // as an endpoint of version 4.15 has it
  const rule = (sign: string) => sign.repeat(68);
  const lost = failed(`${rule("+")}
Traceback (most recent call last):
  File "process_worker_pool.py", line 458, in worker_watchdog
    raise WorkerLost(worker_id, platform.node())
    ^^^^^^^^^^^^^^^^^
parsl.executors.high_throughput.errors.WorkerLost: Task failure due to loss of worker 3
${rule("-")}`);
  assertEquals(lost?.code, "node_failure");
  assertStringIncludes(lost!.message, "loss of worker 3");
  const other = failed("Traceback …\nglobus_compute_sdk.errors.SerializationError: no\n");
  assertEquals(other?.code, "job_failed");
  assertStringIncludes(other!.message, "Globus Compute says: globus_compute_sdk");
  assertStringIncludes(String(other?.details.stderr), "Traceback");
  const reason = taskReport({ status: "failed", reason: "The task expired", completion_t: "1" });
  assertStringIncludes(reason.fate!.message, "The task expired");
});

Deno.test("globus report - an id that is not known is no failure of the job", () => {
  assertEquals(taskReport({ status: "failed", reason: "Unknown task id" }), {
    phase: "unknown",
    state: "failed",
    reason: "Unknown task id",
  });
});

Deno.test("globus report - what a function of somebody else returns is no failure", () => {
  for (const result of ['11\n{"any": "thing"}', '11\n"text"', "01\ngibberish", undefined]) {
    assertEquals(taskReport({ status: "success", result }).fate?.code, "completed");
  }
});

Deno.test("globus watch - a task that has spoken runs, though the service says it waits", () => {
  const reports: JobReport[] = [];
  const watch = new TaskWatch({ report: (report) => reports.push(report), trouble() {} }, 1e6);
  const controls = watch.around({ wait() {}, rest() {}, investigate() {}, stop() {} }, () => {});
  const waits: JobReport = { phase: "pending", state: "waiting-for-ep" };
  watch.report(waits);
  watch.cancelled({ ...waits });
  controls.rest();
  watch.report(waits);
  // now its producer is told of a cancel
  watch.cancelled({ ...waits });
  assertEquals(reports.map(({ phase }) => phase), ["pending", "ended", "active"]);
});

Deno.test("globus watch - a task that its endpoint lost does not wait for ever", () => {
  const reports: JobReport[] = [];
  const watch = new TaskWatch({ report: (report) => reports.push(report), trouble() {} }, 0);
  const controls = watch.around({ wait() {}, rest() {}, investigate() {}, stop() {} }, () => {});
  const waits: JobReport = { phase: "pending", state: "waiting-for-ep" };
  // one that never spoke may well wait
  controls.investigate();
  watch.report(waits);
  controls.rest();
  watch.report(waits);
  controls.investigate();
  watch.report(waits);
  assertEquals(reports.map(({ phase }) => phase), ["pending", "active", "ended"]);
  assertEquals(reports[2].fate?.code, "producer_lost");
  assertStringIncludes(reports[2].fate!.message, '"waiting-for-ep"');
});

Deno.test("globus errors - every form of refusal is told in its own words", () => {
  const told = (status: number, body: unknown) => {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return serviceError("run the task", status, text, "submit_failed");
  };
  const cases = [
    [401, { code: "INVALID_AUTH_TOKEN", detail: "bad token" }, "unauthorized", "bad token"],
    [403, { code: "FUNCTION_NOT_PERMITTED", reason: "not here" }, "forbidden", "not here"],
    [413, { code: "TASK_PAYLOAD_TOO_LARGE", detail: "too big" }, "too_large", "too big"],
    [429, "slow down", "rate_limited", "slow down"],
    [423, { code: "RESOURCE_LOCKED", detail: "locked" }, "submit_failed", "locked"],
    [422, { detail: [{ loc: ["body", "tasks"], msg: "required" }] }, "submit_failed", "body.tasks"],
    [502, "<html>Bad Gateway</html>", "submit_failed", "Bad Gateway"],
    [500, "", "submit_failed", "it gave no reason"],
  ] as const;
  for (const [status, body, code, words] of cases) {
    const error = told(status, body);
    assertEquals(error.code, code);
    assertStringIncludes(error.message, words);
    assertStringIncludes(error.message, `HTTP ${status}`);
  }
  const consent = { detail: "policy", authorization_parameters: { session_required_mfa: true } };
  assertStringIncludes(told(403, consent).message, "another login");
  assertEquals(
    told(403, consent).details.authorizationParameters,
    consent.authorization_parameters,
  );
});
