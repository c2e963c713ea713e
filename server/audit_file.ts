/**
 * An audit log in a file: a line of JSON an event.
 *
 * @module
 */
import { StreamError } from "../stream/mod.ts";
import type { Audit } from "./audit.ts";
import { type Logger, silentLogger } from "./log.ts";

/** An audit log in a file. */
export interface AuditFile extends Disposable {
  /** Takes the lines; for `audit` of `serveRelay`. */
  write: Audit;
  /** Opens the file anew, after whoever rotates logs has moved it away. */
  reopen(): void;
}

/**
 * Opens a file for an audit log. Lines are appended; a new file can be read by its owner alone. When a
 * line can't be written, say on a full disk, the relay goes on: that is logged once, and the next line
 * that can be written is preceded by one that counts those that are missing.
 *
 * @param path The file.
 * @param log Where trouble is told; nowhere by default.
 * @returns The log.
 * @throws {StreamError} `bad_request` for a file that can't be opened.
 * @example
 * ```ts
 * import { openAuditFile, serveRelay } from "./mod.ts";
 * import { assertStringIncludes } from "@std/assert";
 *
 * const path = `${await Deno.makeTempDir()}/audit.jsonl`;
 * using audit = openAuditFile(path);
 * const relay = await serveRelay({ port: 0, secret: "a long random secret", audit: audit.write });
 * await fetch(`${relay.url.replace("ws", "http")}/v1/channels/c`);
 * await relay.close();
 * assertStringIncludes(await Deno.readTextFile(path), '"event":"refused"');
 * ```
 */
export function openAuditFile(path: string, log: Logger = silentLogger): AuditFile {
  const encoder = new TextEncoder();
  const open = () => Deno.openSync(path, { create: true, append: true, mode: 0o600 });
  let file: Deno.FsFile;
  try {
    file = open();
  } catch (cause) {
    throw new StreamError(
      "bad_request",
      `Cannot open audit log ${path}: ${
        (cause as Error).message
      }, expected a file that can be written`,
      { cause },
    );
  }
  let missing = 0;
  let torn = false;
  const put = (line: string) => {
    // half of a line may stand there since the disk was full
    const bytes = encoder.encode(`${torn ? "\n" : ""}${line}\n`);
    for (let at = 0; at < bytes.length; torn = at < bytes.length) {
      at += file.writeSync(bytes.subarray(at));
    }
  };
  return {
    write(entry) {
      try {
        if (missing > 0) put(JSON.stringify({ ts: entry.ts, event: "missing", lines: missing }));
        missing = 0;
        put(JSON.stringify(entry));
      } catch (error) {
        if (missing++ === 0) {
          log("warn", "Cannot write the audit log, the relay goes on without", {
            path,
            error: String(error),
          });
        }
      }
    },
    reopen() {
      try {
        const next = open();
        file.close();
        file = next;
        torn = false;
      } catch (error) {
        log("warn", "Cannot open the audit log anew, it goes on in the old file", {
          path,
          error: String(error),
        });
      }
    },
    [Symbol.dispose]: () => file.close(),
  };
}
