/** The stand-in's `qstat -x -f -F json`. @module */
import {
  fail,
  FINISHED,
  isSet,
  NO_HISTORY,
  noteCall,
  numberOf,
  numbers,
  readJob,
  SERVER,
  UNKNOWN,
} from "./server.ts";

noteCall("qstat");
const ids = Deno.args.filter((word, i) => !word.startsWith("-") && Deno.args[i - 1] !== "-F");
const history = Deno.args.includes("-x");
const forgetful = isSet("no_history");
if (isSet("down")) fail(255, `qstat: cannot connect to server ${SERVER} (errno=15010)`);
if (history && forgetful) fail(NO_HISTORY, "qstat: PBS is not configured to maintain job history");

const jobs: Record<string, unknown> = {};
// with several ids the real one's JSON holds only the first
const wanted = ids.length > 0 ? [numberOf(ids[0])] : numbers();
for (const number of wanted) {
  const job = readJob(number);
  const ended = job?.shown.job_state === "F";
  if (ids.length > 0) {
    if (!job || ended && forgetful) fail(UNKNOWN, `qstat: Unknown Job Id ${ids[0]}`);
    if (ended && !history) {
      fail(
        FINISHED,
        `qstat: ${ids[0]} Job has finished, use -x or -H to obtain historical job information`,
      );
    }
  }
  if (job && (history || !ended)) jobs[`${number}.${SERVER}`] = job.shown;
}
console.log(JSON.stringify(
  { timestamp: 1, pbs_version: "stand-in", pbs_server: SERVER, Jobs: jobs },
  undefined,
  4,
));
