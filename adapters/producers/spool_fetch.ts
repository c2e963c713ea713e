/**
 * Answers a producer's requests as a relay does, where none can be reached from the node: frames are
 * appended to a file on a shared file system, which the executor follows. `docs/protocol.md` describes it.
 *
 * @module
 */
import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { Buffer } from "node:buffer";
import { hostname } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { seconds } from "./settings.ts";

const APPEND = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT;

/** The folder that `STREAMRELAY_SPOOL` names; `undefined` for none. */
export function spoolFolder(): string | undefined {
  return process.env.STREAMRELAY_SPOOL || undefined;
}

/**
 * Replaces this process's `fetch` where there is a spool.
 *
 * @returns Whether there is one.
 */
export function useSpool(): boolean {
  const folder = spoolFolder();
  if (folder === undefined) return false;
  process.env.STREAMRELAY_URL = "http://spool.invalid";
  const spool = new SpoolWriter(folder);
  globalThis.fetch = async (input, init) => {
    const { pathname } = new URL(input instanceof Request ? input.url : input);
    const [, , , channel, what = ""] = pathname.split("/");
    return await spool.answer(decodeURIComponent(channel), what, init);
  };
  return true;
}

/** One attempt's part of a spool. */
export class SpoolWriter {
  #folder: string;
  #epoch = 0;
  #next = 0;
  /** Bytes of whole frames. */
  #size = 0;
  #written = 0;

  /** @param folder The spool. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Does what a request asks for.
   *
   * @param channel The channel.
   * @param what The rest of the control API's path: `claim`, `records`, `input`, or nothing.
   * @param init Headers and body.
   * @returns The answer.
   * @throws {Error} As the file system does; trying again may help.
   */
  async answer(channel: string, what: string, init: RequestInit = {}): Promise<Response> {
    if (!existsSync(this.#folder)) {
      const message =
        `the spool ${this.#folder} is not there: the stream was ended, or ${hostname()} does not share that folder`;
      return Response.json({ error: { code: "expired", message } }, { status: 410 });
    }
    if (what === "input") {
      const input = this.#read("input");
      return input === undefined
        ? new Response(null, { status: 204 })
        : new Response(Buffer.from(input, "base64"));
    }
    const body = new Uint8Array(await new Response(init.body).arrayBuffer());
    if (what === "claim") this.#claim(channel, JSON.parse(new TextDecoder().decode(body)));
    if (what === "records") this.#append(body, new Headers(init.headers).get("producer-close"));
    const wish = this.#read("cancel");
    return Response.json({
      epoch: this.#epoch,
      next: this.#next,
      claims: [],
      ...(wish && { cancel: JSON.parse(wish) }),
    });
  }

  #claim(channel: string, wish: Record<string, unknown>): void {
    for (let number = 1; this.#epoch === 0; number++) {
      try {
        // of two attempts only one can make it
        mkdirSync(join(this.#folder, `${number}.claim`), { mode: 0o700 });
        this.#epoch = number;
      } catch (error) {
        if ((error as { code?: string }).code !== "EEXIST") throw error;
      }
    }
    if (this.#size > 0) return;
    this.#write(
      encode(JSON.stringify({ spool: 1, channel, epoch: this.#epoch, ...wish }) + "\n"),
    );
  }

  #append(body: Uint8Array, close: string | null): void {
    const n = body.length === 0
      ? 0
      : body.reduce((lines, byte) => byte === 10 ? lines + 1 : lines, 1);
    if (n === 0 && Date.now() - this.#written < seconds("HEARTBEAT", 15) * 1000) return;
    const head = { n, e: this.#epoch, s: this.#next, b: body.length, ...(close && { close }) };
    this.#write(Buffer.concat([encode(JSON.stringify(head) + "\n"), body, encode("\n")]));
    this.#next += n;
  }

  /** Opened and closed each time: a network file system then shows it to others. */
  #write(frame: Uint8Array): void {
    const file = openSync(join(this.#folder, `${this.#epoch}.spool`), APPEND, 0o600);
    try {
      // half a frame from when the file system was full
      if (fstatSync(file).size !== this.#size) ftruncateSync(file, this.#size);
      for (let done = 0; done < frame.length;) {
        done += writeSync(file, frame, done, frame.length - done);
      }
    } finally {
      closeSync(file);
    }
    this.#size += frame.length;
    this.#written = Date.now();
  }

  #read(name: string): string | undefined {
    try {
      return readFileSync(join(this.#folder, name), "utf8");
    } catch (error) {
      if ((error as { code?: string }).code === "ENOENT") return undefined;
      throw error;
    }
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
