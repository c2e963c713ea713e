/**
 * How a machine is reached by ssh.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";

/** How a connection is made. What is not said here is up to `~/.ssh/config`. */
export interface SshOptions {
  /** The host as `ssh` takes it: a name of `~/.ssh/config`, `user@host`, or `ssh://user@host:port`. */
  host: string;
  /** Another configuration file than the user's and the system's. */
  config?: string;
  /** OpenSSH's client; `ssh`, looked for on `PATH`, by default. */
  program?: string;
  /**
   * Whether somebody is there to answer a question for a password or a second factor. It is asked at
   * most once in a process; afterwards, and without anybody there, no question is ever triggered.
   *
   * @default Whether standard error is a terminal.
   */
  interactive?: boolean;
  /**
   * Seconds that the connection is kept after its last use, for later commands and other processes of
   * this user.
   *
   * @default {3_600}
   */
  persist?: number;
  /**
   * Seconds that the host has to answer, where `~/.ssh/config` does not say.
   *
   * @default {15}
   */
  connectTimeout?: number;
}

/** A login node that a scheduler's programs are run on. */
export interface Via extends Omit<SshOptions, "host"> {
  /** The login node, as for {@linkcode SshOptions.host}. */
  ssh: string;
}

/** Letters that can't change the meaning of a `ProxyCommand` in which the name stands as `%h`. */
const HOST = /^(ssh:\/\/)?[A-Za-z0-9_.%+:[\]\\@-]+\/?$/;

/**
 * Refuses what can't be a connection, before anything is started.
 *
 * @param options How a machine is to be reached.
 * @returns The same options.
 * @throws {StreamError} `bad_request` for a host or a path that can't be.
 * @example
 * ```ts
 * import { checkSsh } from "./ssh_options.ts";
 * import { assertEquals, assertThrows } from "@std/assert";
 *
 * assertEquals(checkSsh({ host: "me@login1" }).host, "me@login1");
 * assertThrows(() => checkSsh({ host: "-oProxyCommand=true" }), Error, "ssh host");
 * ```
 */
export function checkSsh(options: SshOptions): SshOptions {
  const { host } = options;
  if (typeof host !== "string" || !HOST.test(host) || host.startsWith("-") || /@-/.test(host)) {
    refuse("ssh host", host, 'a name, "user@name" or "ssh://user@name:port"');
  }
  for (const name of ["config", "program"] as const) {
    const path = options[name];
    if (path === undefined) continue;
    // deno-lint-ignore no-control-regex -- control characters are what is looked for
    if (typeof path !== "string" || path === "" || /[\x00-\x1f]/.test(path)) {
      refuse(`ssh option ${name}`, path, "a path on a single line");
    }
  }
  for (const name of ["persist", "connectTimeout"] as const) {
    const seconds = options[name];
    if (seconds !== undefined && !(Number.isSafeInteger(seconds) && seconds > 0)) {
      refuse(`ssh option ${name}`, seconds, "a positive whole number of seconds");
    }
  }
  return options;
}

/**
 * Refuses another machine for a single call: an executor has one connection.
 *
 * @param name The option.
 * @param own The executor's.
 * @param called The call's.
 * @throws {StreamError} `bad_request` where they differ.
 */
export function refuseOther(name: string, own: unknown, called: unknown): void {
  if (own === called) return;
  throw new StreamError(
    "bad_request",
    `Cannot change ${name} for one call: expected an executor of its own`,
  );
}

function refuse(what: string, given: unknown, expected: string): never {
  throw new StreamError(
    "bad_request",
    `Cannot use ${what} ${JSON.stringify(given) ?? String(given)}: expected ${expected}`,
  );
}
