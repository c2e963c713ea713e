import { assertEquals, assertThrows } from "@std/assert";
import type { JobReport } from "../../../adapters/mod.ts";
import { parseQstat } from "../../../adapters/pbs/pbs_states.ts";
import { StreamError } from "../../../stream/mod.ts";

function read(job: Record<string, unknown>): JobReport {
  return parseQstat(JSON.stringify({ Jobs: { "7.pbshost": job } })).get("7.pbshost")!;
}

function fate(job: Record<string, unknown>): [string | undefined, unknown, unknown] {
  const { fate } = read({ job_state: "F", ...job });
  return [fate?.code, fate?.details.exitCode, fate?.details.signal];
}

Deno.test("pbs states - how a job ended, as it was measured", () => {
  assertEquals(fate({ substate: 92, Exit_status: 0 }), ["completed", 0, undefined]);
  assertEquals(fate({ substate: 93, Exit_status: 7 }), ["job_failed", 7, undefined]);
  assertEquals(fate({ substate: 93, Exit_status: 137 }), ["job_failed", undefined, 9]);
  assertEquals(fate({ substate: 91, Exit_status: 271 })[0], "job_cancelled");
  assertEquals(fate({ substate: 91 })[0], "job_cancelled");
  assertEquals(fate({ substate: 93, Exit_status: -29 })[0], "walltime");
  assertEquals(fate({ substate: 93, Exit_status: -27 })[0], "oom");
  assertEquals(fate({ substate: 93, Exit_status: 265 }), ["job_failed", undefined, 9]);
  assertEquals(fate({ substate: 93, Exit_status: -3 })[0], "job_failed");
  assertEquals(fate({ substate: 93, Exit_status: 271, comment: "Preempted by 9" })[0], "preempted");
  assertEquals(
    fate({ substate: 93, Exit_status: -11, comment: "node n1 is down" })[0],
    "node_failure",
  );
});

Deno.test("pbs states - where a job is", () => {
  const waiting = read({
    job_state: "Q",
    comment: "Not Running: Insufficient amount of resource: ncpus",
    estimated: { start_time: 1_700_000_000 },
  });
  assertEquals([waiting.phase, waiting.eta], ["pending", 1_700_000_000_000]);
  assertEquals(waiting.neverStartable, undefined);
  assertEquals(read({ job_state: "Q", comment: "Can Never Run: x" }).neverStartable, true);
  assertEquals(read({ job_state: "H" }).reason, "Held");
  assertEquals(read({ job_state: "Q", run_count: 1 }).restarts, 1);
  const running = read({ job_state: "R", run_count: 1, exec_host: "n1/0*4+n2/1+n1/2" });
  assertEquals(running, { phase: "active", state: "R", node: "n1,n2" });
  assertEquals(read({ job_state: "E" }).phase, "active");
});

Deno.test("pbs states - JSON that older versions break is read all the same", () => {
  const text = `{
    "Jobs":{
        "7.pbshost":{
            "job_state":"R",
            "Variable_List":{
                "PROMPT":"a "quoted" \\word"
            },
            "Submit_arguments":"-N "x""
        }
    }
}`;
  assertEquals(parseQstat(text).get("7")?.phase, "active");
  assertEquals(parseQstat("").size, 0);
  assertEquals(parseQstat('{"pbs_server":"x"}').size, 0);
  assertThrows(() => parseQstat("qstat: hm"), StreamError, "expected JSON");
});
