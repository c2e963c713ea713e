/**
 * What Globus says when it refuses, in its own words.
 *
 * @module
 */
import type { ErrorCode } from "../../stream/error_code.ts";
import { StreamError } from "../../stream/stream_error.ts";

const CODES: Record<number, ErrorCode> = {
  401: "unauthorized",
  403: "forbidden",
  413: "too_large",
  429: "rate_limited",
};

/** Longest piece of an answer that is no JSON to quote. */
const QUOTED = 200;

/**
 * The error in an answer of Globus.
 *
 * @param action What was asked for, as in "Globus Compute refused to …".
 * @param status The HTTP status.
 * @param text The body.
 * @param otherwise The code for what is neither a matter of credentials, size nor rate.
 * @returns The error; its details hold the service's `code` and arguments.
 * @example
 * ```ts
 * import { serviceError } from "./service_error.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const body = '{"code":"ENDPOINT_NOT_FOUND","detail":"Endpoint x could not be resolved"}';
 * assertEquals(
 *   serviceError("run the task", 404, body, "submit_failed").message,
 *   "Globus Compute refused to run the task: Endpoint x could not be resolved (ENDPOINT_NOT_FOUND, HTTP 404)",
 * );
 * ```
 */
export function serviceError(
  action: string,
  status: number,
  text: string,
  otherwise: ErrorCode,
): StreamError {
  const answer = parse(text);
  const code = answer.code ?? answer.error;
  const name = typeof code === "string" || typeof code === "number" ? `${code}, ` : "";
  const words = wordsOf(answer) || text.trim().slice(0, QUOTED) || "it gave no reason";
  const login = answer.authorization_parameters;
  const hint = login === undefined
    ? ""
    : "; it asks for another login, which a service account can't give";
  return new StreamError(
    CODES[status] ?? otherwise,
    `Globus Compute refused to ${action}: ${words} (${name}HTTP ${status})${hint}`,
    {
      details: {
        status,
        ...(code !== undefined && { code }),
        ...(Array.isArray(answer.error_args) && { arguments: answer.error_args }),
        ...(login !== undefined && { authorizationParameters: login }),
      },
    },
  );
}

/** Version 3 has a sentence in `detail`, validation a list of places, OAuth a description. */
function wordsOf(answer: Record<string, unknown>): string {
  for (const said of [answer.detail, answer.reason, answer.error_description]) {
    if (typeof said === "string" && said !== "") return said;
    if (Array.isArray(said)) return said.map(placeOf).join("; ");
  }
  return "";
}

function placeOf(problem: unknown): string {
  const { loc, msg } = problem as { loc?: unknown[]; msg?: string };
  if (typeof msg !== "string") return JSON.stringify(problem);
  return Array.isArray(loc) ? `${loc.join(".")}: ${msg}` : msg;
}

function parse(text: string): Record<string, unknown> {
  try {
    const answer = JSON.parse(text);
    if (typeof answer === "object" && answer !== null) return answer;
  } catch {
    // a gateway in between speaks HTML
  }
  return {};
}
