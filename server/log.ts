/**
 * Structured logs without secrets.
 *
 * @module
 */

/**
 * How grave a line is, gravest last.
 *
 * @example
 * ```ts
 * import { LOG_LEVELS } from "./log.ts";
 * import { assert } from "@std/assert";
 *
 * assert(LOG_LEVELS.indexOf("error") > LOG_LEVELS.indexOf("info"));
 * ```
 */
export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;

/** One of {@linkcode LOG_LEVELS}. */
export type LogLevel = typeof LOG_LEVELS[number];

/** Takes what the relay has to say. */
export type Logger = (
  level: LogLevel,
  message: string,
  fields?: Record<string, unknown>,
) => void;

/** What {@linkcode jsonLogger} can be told. */
export interface JsonLoggerOptions {
  /** The least grave level that is written; `info` by default. */
  level?: LogLevel;
  /** Values that must never be written, such as the root secret. */
  secrets?: string[];
  /** Takes each line; standard error by default. */
  write?: (line: string) => void;
}

const SECRET_NAME = /secret|token|auth|password|credential|^key$|encryption/i;
const JWT = /eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+/g;
const SECRET_PARAMETER = /([?&](?:secret|token|key)=)[^&\s"]+/gi;

/**
 * A logger that writes one JSON object a line. Members whose name speaks of a secret, tokens wherever
 * they stand, and the given secrets are replaced by `[redacted]`.
 *
 * @param options Level, secrets and where to.
 * @returns The logger.
 * @example
 * ```ts
 * import { jsonLogger } from "./log.ts";
 * import { assert } from "@std/assert";
 *
 * const lines: string[] = [];
 * const log = jsonLogger({ secrets: ["hunter2"], write: (line) => lines.push(line) });
 * log("warn", "Somebody said hunter2", { secret: "x" });
 * assert(!lines[0].includes("hunter2") && lines[0].includes("[redacted]"));
 * ```
 */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  const least = LOG_LEVELS.indexOf(options.level ?? "info");
  const secrets = (options.secrets ?? []).filter((secret) => secret.length > 0);
  const write = options.write ?? ((line) => console.error(line));
  const clean = (text: string) => {
    let out = text.replace(JWT, "[redacted]").replace(
      SECRET_PARAMETER,
      "$1[redacted]",
    );
    for (const secret of secrets) out = out.replaceAll(secret, "[redacted]");
    return out;
  };
  return (level, message, fields = {}) => {
    if (LOG_LEVELS.indexOf(level) < least) return;
    const entry = { ts: new Date().toISOString(), level, message, ...fields };
    write(JSON.stringify(entry, (name, value) => {
      if (SECRET_NAME.test(name) && value !== undefined) return "[redacted]";
      return typeof value === "string" ? clean(value) : value;
    }));
  };
}

/**
 * A logger that says nothing.
 *
 * @example
 * ```ts
 * import { serveRelay } from "./serve_relay.ts";
 * import { silentLogger } from "./log.ts";
 *
 * const relay = await serveRelay({ port: 0, secret: "a long random secret", log: silentLogger });
 * await relay.close();
 * ```
 */
export const silentLogger: Logger = () => {};
