/**
 * Follows files that jobs write into their spools, on this machine or on one behind ssh: one shell there
 * looks after all of them, and ends when this process does.
 *
 * @module
 */
import { decodeBase64 } from "@std/encoding/base64";
import { StreamError } from "../../stream/stream_error.ts";
import { hearText } from "../hear_text.ts";
import type { Machine } from "../program_runner.ts";
import { notStarted } from "../ssh/ssh_programs.ts";
import { watchText } from "./spool_watch_text.ts";

/** A place in a spool. */
export interface SpoolPlace {
  /** Number of its file: of the job's attempt. */
  number: number;
  /** Bytes. */
  at: number;
}

/** Who follows a spool. */
export interface SpoolListener {
  /** Where to go on from when the shell is started, for the first time or again. */
  place(): SpoolPlace;
  /** Bytes that stand at a place. */
  bytes(place: SpoolPlace, bytes: Uint8Array): void;
  /** The job has begun another file, and the one before is read to its end. */
  next(number: number): void;
  /** All that was there when {@linkcode Following.sync} was called has been told. */
  synced(): void;
  /** It can't be followed at the moment, and is tried again. */
  trouble(error: StreamError): void;
}

/** A spool that is followed. */
export interface Following {
  /** Goes on from another place. */
  seek(): void;
  /** Stops until the next `seek`. */
  pause(): void;
  /** Looks once more, and tells when that is done. */
  sync(): void;
  /** Lets go of it. */
  stop(): Promise<void>;
}

/** Intervals in milliseconds. */
export interface SpoolTimings {
  /** Between two looks while something comes; up to five times that when nothing does. */
  spoolEvery: number;
  /** Before a connection that was lost is tried again. */
  spoolRetry: number;
}

/** Milliseconds without a word after which a shell is taken for lost. */
const SILENCE = 60_000;

interface Followed {
  folder: string;
  listener: SpoolListener;
  /** What the shell calls it; another one for each place it is sent to, none while it is left alone. */
  id?: number;
  paused: boolean;
  /** Whether somebody waits for `synced`. */
  syncing: boolean;
  /** Whether the shell told anything of it since it last said that it is alive. */
  heard: boolean;
}

const watches = new WeakMap<Machine, SpoolWatch>();

/** All spools of one machine that this process follows. */
export class SpoolWatch {
  #machine: Machine;
  #timings: SpoolTimings;
  #followed = new Set<Followed>();
  #ids = new Map<number, Followed>();
  #count = 0;
  #writer?: WritableStreamDefaultWriter<Uint8Array>;
  #running?: Promise<void>;
  #wake?: () => void;
  /** Shells that were lost since one last did its work. */
  #failures = 0;

  /**
   * Use {@linkcode SpoolWatch.of}, which shares them.
   *
   * @param machine Where the spools are.
   * @param timings Intervals.
   */
  constructor(machine: Machine, timings: SpoolTimings) {
    this.#machine = machine;
    this.#timings = timings;
  }

  /**
   * The watch of a machine, one a process.
   *
   * @param machine Where the spools are.
   * @param timings Intervals, of whoever comes first.
   * @returns The watch; nothing is started yet.
   */
  static of(machine: Machine, timings: SpoolTimings): SpoolWatch {
    let watch = watches.get(machine);
    if (!watch) watches.set(machine, watch = new SpoolWatch(machine, timings));
    return watch;
  }

  /**
   * Follows a spool.
   *
   * @param folder Its path there.
   * @param listener Who gets to know.
   * @returns What steers it.
   */
  follow(folder: string, listener: SpoolListener): Following {
    const followed: Followed = {
      folder,
      listener,
      paused: false,
      syncing: false,
      heard: false,
    };
    this.#followed.add(followed);
    if (this.#running) this.#start(followed);
    else this.#running = this.#run().finally(() => this.#running = undefined);
    return {
      seek: () => {
        followed.paused = false;
        this.#start(followed);
      },
      pause: () => {
        followed.paused = true;
        this.#forget(followed);
      },
      sync: () => {
        followed.syncing = true;
        if (followed.id !== undefined) this.#tell(`sync ${followed.id}`);
      },
      stop: async () => {
        if (!this.#followed.delete(followed)) return;
        this.#forget(followed);
        if (this.#followed.size > 0) return;
        this.#wake?.();
        this.#writer?.close().catch(ended);
        await this.#running;
      },
    };
  }

  /** What is on its way for another place has another id, and is not listened to. */
  #start(followed: Followed): void {
    this.#forget(followed);
    if (this.#writer === undefined) return;
    const { number, at } = followed.listener.place();
    const id = followed.id = this.#count++;
    this.#ids.set(id, followed);
    this.#tell(`follow ${id} ${number} ${at} ${followed.folder}`);
    if (followed.syncing) this.#tell(`sync ${id}`);
  }

  #forget(followed: Followed): void {
    if (followed.id === undefined) return;
    this.#tell(`forget ${followed.id}`);
    this.#ids.delete(followed.id);
    followed.id = undefined;
  }

  #tell(line: string): void {
    this.#writer?.write(new TextEncoder().encode(`${line}\n`)).catch(ended);
  }

  /** Keeps a shell there for as long as anything is followed. */
  async #run(): Promise<void> {
    for (this.#failures = 0; this.#followed.size > 0; this.#failures++) {
      let trouble: StreamError;
      try {
        trouble = await this.#session();
      } catch (error) {
        trouble = StreamError.from(error, "unreachable");
      }
      if (this.#followed.size === 0) return;
      for (const { listener } of this.#followed) listener.trouble(trouble);
      await this.#pause();
    }
  }

  /** One shell, to its end. */
  async #session(): Promise<StreamError> {
    const mark = `streamrelay-${crypto.randomUUID()}`;
    const child = await this.#machine.shell();
    const writer = child.stdin.getWriter();
    let words = "";
    const listening = hearText(child.stderr, (text) => words = (words + text).slice(-2_048));
    this.#writer = writer;
    // a connection may die without a word; one that lives says so every ten seconds
    const kill = () => {
      try {
        child.kill("SIGKILL");
      } catch {
        // it has ended meanwhile
      }
    };
    let silence = setTimeout(kill, SILENCE);
    try {
      // it may have been let go of meanwhile
      if (this.#followed.size === 0) await writer.close().catch(ended);
      else this.#tell(watchText(mark, this.#timings.spoolEvery));
      let begun = false;
      for await (const line of linesOf(child.stdout)) {
        clearTimeout(silence);
        silence = setTimeout(kill, SILENCE);
        if (begun) this.#line(line);
        else if (line === `${mark} start`) {
          begun = true;
          this.#failures = 0;
          for (const followed of this.#followed) if (!followed.paused) this.#start(followed);
        }
      }
      const [{ code }] = await Promise.all([child.status, listening]);
      const host = this.#machine.host ?? "this machine";
      if (!begun) return notStarted(host, code, words);
      return new StreamError(
        "unreachable",
        `The shell on ${host} that follows spools was lost (exit code ${code}): ${
          words.trim().split("\n").at(-1) || "it gave no reason"
        }`,
      );
    } finally {
      clearTimeout(silence);
      this.#writer = undefined;
      for (const followed of this.#followed) followed.id = undefined;
      this.#ids.clear();
      await writer.close().catch(ended);
    }
  }

  #line(line: string): void {
    const [what, id, number, at, data = ""] = line.split(" ");
    if (what === "alive") return this.#remind();
    const followed = this.#ids.get(Number(id));
    if (!followed) return;
    const { listener } = followed;
    followed.heard = true;
    if (what === "data") {
      listener.bytes({ number: Number(number), at: Number(at) }, decodeBase64(data));
    } else if (what === "next") listener.next(Number(number));
    else if (what === "synced") {
      followed.syncing = false;
      listener.synced();
    }
  }

  /**
   * Tells the shell again what it was silent about since it last said that it is alive. A line that it
   * lost would leave a spool that nobody looks at, which looks like one that is quiet.
   */
  #remind(): void {
    for (const followed of this.#followed) {
      if (!followed.paused && !followed.heard) this.#start(followed);
      followed.heard = false;
    }
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const settle = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
      // a login that fails again and again is a burden to both sides
      const timer = setTimeout(
        settle,
        this.#timings.spoolRetry * Math.min(2 ** this.#failures, 12),
      );
      this.#wake = settle;
    });
  }
}

/** What ended does not read on; its exit code and words tell. */
function ended(): void {}

async function* linesOf(from: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let pieces: string[] = [];
  for await (const text of from.pipeThrough(new TextDecoderStream())) {
    const lines = text.split("\n");
    const last = lines.pop()!;
    if (lines.length === 0) {
      pieces.push(last);
      continue;
    }
    yield pieces.join("") + lines[0];
    yield* lines.slice(1);
    pieces = [last];
  }
}
