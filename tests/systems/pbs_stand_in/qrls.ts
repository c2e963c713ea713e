/** The stand-in's `qrls`. @module */
import { fail, numberOf, readJob, startJob, UNKNOWN, writeJob } from "./server.ts";

const [id] = Deno.args;
const number = numberOf(id);
const job = readJob(number) ?? fail(UNKNOWN, `qrls: Unknown Job Id ${id}`);
Object.assign(job.shown, { job_state: "Q", substate: 10 });
writeJob(number, job);
startJob(number);
