/** The stand-in's `qrerun`. @module */
import { fail, numberOf, readJob, UNKNOWN } from "./server.ts";

const [id] = Deno.args;
const job = readJob(numberOf(id)) ?? fail(UNKNOWN, `qrerun: Unknown Job Id ${id}`);
if (job.runner === undefined) fail(1, `qrerun: Request invalid for state of job ${id}`);
Deno.kill(job.runner, "SIGUSR1");
