/** The stand-in's `qdel`. @module */
import { fail, noteCall, numberOf, readJob, UNKNOWN, writeJob } from "./server.ts";

noteCall("qdel");
const [id] = Deno.args;
const number = numberOf(id);
const job = readJob(number) ?? fail(UNKNOWN, `qdel: Unknown Job Id ${id}`);
if (job.runner !== undefined) {
  try {
    Deno.kill(job.runner, "SIGTERM");
  } catch {
    // it has finished, which is no failure
  }
} else if (job.shown.job_state !== "F") {
  Object.assign(job.shown, { job_state: "F", substate: 91 });
  writeJob(number, job);
}
