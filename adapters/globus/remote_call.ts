/**
 * What one task calls, and with what.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import type { Submission } from "../scheduler.ts";
import type { GlobusConfig, PythonFunction } from "./globus_config.ts";
import { callFunction, type RemoteFunction, RUN_SCRIPT } from "./remote_functions.ts";
import { wallTime } from "./wall_time.ts";
import { taskPayload } from "./wire_format.ts";

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The keyword arguments that are ours. */
const OURS = ["relay_url", "channel_id", "relay_secret", "encryption_key"];

/** A call's configuration; a function that is to be called instead of a script goes along with it. */
export interface GlobusRun extends GlobusConfig {
  /** The function. */
  call?: PythonFunction;
}

/** A function and its arguments. */
export interface RemoteCall {
  /** The function, or the id of one that is registered. */
  code: string | RemoteFunction;
  /** The arguments, packed. */
  payload: string;
}

/**
 * Refuses what can't be submitted.
 *
 * @param config The configuration.
 * @throws {StreamError} `bad_request` that names the option.
 */
export function checkTask(config: GlobusConfig): void {
  const { endpoint, functionUuid, time } = config;
  const { call } = config as GlobusRun;
  if (endpoint === undefined || !UUID.test(endpoint)) {
    refuse("endpoint", endpoint, "expected the endpoint's id, a UUID");
  }
  if (functionUuid !== undefined && !UUID.test(functionUuid)) {
    refuse("functionUuid", functionUuid, "expected a function's id, a UUID");
  }
  if (time !== undefined) wallTime(time);
  if (call === undefined) return;
  if (time !== undefined) {
    refuse("time", time, "a function can't be stopped from outside; the endpoint has its limits");
  }
  if (config.credentials === "file") {
    refuse("credentials", "file", 'a function gets its token as an argument, expected "script"');
  }
  if (config.encryption === "v2") {
    refuse("encryption", "v2", "Python's package does not know it");
  }
  for (const name of Object.keys(call.arguments ?? {})) {
    if (OURS.includes(name)) refuse("arguments", name, "the executor gives this one");
  }
  if ("functionUuid" in call) {
    if (!UUID.test(call.functionUuid)) {
      refuse("functionUuid", call.functionUuid, "expected a function's id, a UUID");
    }
  } else if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(call.function)) {
    refuse("function", call.function, "expected the name of a Python function");
  }
}

/**
 * Turns a submission into a call.
 *
 * @param submission The job script, or the function to call.
 * @returns The call. Its payload holds the channel's token and a function's key, and never the input.
 * @throws {StreamError} `bad_request` for Python source that can't be read, or an input for a function
 * that gets none.
 */
export async function remoteCall(
  { jobScript, channel, relayUrl, credentials, hasInput, config }: Submission<GlobusConfig>,
): Promise<RemoteCall> {
  const { call } = config as GlobusRun;
  const { token = "", key } = credentials.kind === "script" ? credentials : {};
  if (call === undefined) {
    const { workdir, output, error, time, jobTimings, lookEvery, functionUuid } = config;
    const payload = taskPayload({
      job_script: jobScript,
      relay_url: relayUrl,
      channel_id: channel,
      relay_secret: token,
      ...(workdir !== undefined && { workdir }),
      ...(output !== undefined && { output }),
      ...(error !== undefined && { error }),
      ...(time !== undefined && { time_limit: wallTime(time) }),
      ...(jobTimings?.grace !== undefined && { grace: jobTimings.grace }),
      ...(lookEvery !== undefined && { look_every: lookEvery }),
    });
    return { code: functionUuid ?? RUN_SCRIPT, payload };
  }
  // Python's client takes one WebSocket address
  const keywords = {
    relay_url: relayUrl.split(",")[0].trim().replace(/^http/, "ws"),
    channel_id: channel,
    ...(token && { relay_secret: token }),
    ...(key && { encryption_key: key }),
  };
  if ("functionUuid" in call) {
    if (hasInput) {
      refuse("input", "", "a function that is registered already gets its arguments alone");
    }
    return { code: call.functionUuid, payload: taskPayload({ ...call.arguments, ...keywords }) };
  }
  return {
    code: callFunction(await sourceOf(call.python)),
    payload: taskPayload({
      function: call.function,
      arguments: call.arguments ?? {},
      ...(hasInput && { input_as: call.inputAs ?? "prompt" }),
      ...keywords,
    }),
  };
}

async function sourceOf(python: string | { text: string }): Promise<string> {
  if (typeof python !== "string") return python.text;
  try {
    return await Deno.readTextFile(python);
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      `Cannot read Python source ${python}: ${
        (cause as Error).message
      }, expected the path of a file`,
      { cause },
    );
  }
}

function refuse(option: string, value: unknown, why: string): never {
  const given = value === "" ? "" : `${JSON.stringify(value) ?? "missing"}: `;
  throw new StreamError("bad_request", `Cannot use option ${option}: ${given}${why}`);
}
