import { assertEquals } from "@std/assert";
import {
  parsePartitionsDown,
  parseSqueue,
  slurmFate,
} from "../../../adapters/slurm/slurm_states.ts";

/** A line as squeue 22.05 prints it. */
function line(fields: string[]): string {
  const widths = [24, 24, 120, 16, 240, 32, 12, 240];
  return widths.map((width, i) => (fields[i] ?? "").padEnd(width)).join("");
}

Deno.test("squeue - a failed job", () => {
  const report = parseSqueue(
    line(["7", "FAILED", "NonZeroExitCode", "1792", "n1", "N/A", "0", "main"]),
  ).get("7");
  assertEquals(report?.phase, "ended");
  assertEquals(report?.fate?.code, "job_failed");
  assertEquals(report?.fate?.message, "The job ended with exit code 7");
  assertEquals(report?.fate?.details, {
    state: "FAILED",
    reason: "NonZeroExitCode",
    node: "n1",
    exitCode: 7,
  });
});

Deno.test("squeue - a pending job tells reason and expected start, and no exit of an earlier attempt", () => {
  const report = parseSqueue(
    line([
      "8",
      "PENDING",
      "ReqNodeNotAvail, UnavailableNodes:n[1-3]",
      "15",
      "",
      "2026-11-21T02:30:17",
      "1",
      "a,b",
    ]),
  ).get("8");
  assertEquals(report, {
    phase: "pending",
    state: "PENDING",
    reason: "ReqNodeNotAvail, UnavailableNodes:n[1-3]",
    eta: new Date(2026, 10, 21, 2, 30, 17).getTime(),
    restarts: 1,
    partitions: ["a", "b"],
  });
});

Deno.test("squeue - several jobs, and lines without a job", () => {
  const text = [
    line(["1", "RUNNING", "None", "0", "n1"]),
    "",
    line(["2", "COMPLETING", "None", "0", "n1"]),
    line(["3", "CONFIGURING", "None", "0", "n1"]),
    line(["4", "REQUEUE_HOLD", "JobHeldAdmin", "0", ""]),
  ].join("\n");
  const phases = [...parseSqueue(text).values()].map(({ phase }) => phase);
  assertEquals(phases, ["active", "active", "active", "pending"]);
});

Deno.test("squeue - what never starts, and what only waits", () => {
  const never = (reason: string) =>
    parseSqueue(line(["1", "PENDING", reason])).get("1")?.neverStartable;
  for (
    const reason of [
      "DependencyNeverSatisfied",
      "BadConstraints",
      "PartitionTimeLimit",
      "PartitionConfig",
    ]
  ) assertEquals(never(reason), true, reason);
  for (
    const reason of [
      "Priority",
      "Resources",
      "JobHeldUser",
      "QOSMaxJobsPerUserLimit",
      "AssocGrpCpuLimit",
      "BeginTime",
      "PartitionDown",
      "Dependency",
    ]
  ) assertEquals(never(reason), undefined, reason);
});

Deno.test("squeue - every final state has its code", () => {
  const codes: Record<string, string> = {
    COMPLETED: "completed",
    FAILED: "job_failed",
    TIMEOUT: "walltime",
    DEADLINE: "walltime",
    CANCELLED: "job_cancelled",
    NODE_FAIL: "node_failure",
    BOOT_FAIL: "node_failure",
    OUT_OF_MEMORY: "oom",
    PREEMPTED: "preempted",
  };
  for (const [state, code] of Object.entries(codes)) {
    assertEquals(slurmFate(state, 0).code, code, state);
  }
});

Deno.test("squeue - the wait status tells signal, shell's signal, and files that can't be opened", () => {
  assertEquals(slurmFate("FAILED", 9).details.signal, 9);
  assertEquals(slurmFate("FAILED", 137 * 256).details, {
    state: "FAILED",
    exitCode: 137,
    signal: 9,
  });
  assertEquals(
    slurmFate("FAILED", 53).message.includes("output file"),
    true,
  );
});

Deno.test("sinfo - partitions that are not up", () => {
  assertEquals(
    parsePartitionsDown("main|up\ntiny|down\nold|drain\n"),
    new Set(["tiny", "old"]),
  );
});
