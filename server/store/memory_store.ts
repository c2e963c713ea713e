/**
 * Channels in the memory of the process: the fastest store, and gone with it.
 *
 * @module
 */
import {
  type CancelRequest,
  type ChannelEnd,
  type OnDisconnect,
  randomId,
  StreamError,
} from "../../stream/mod.ts";
import { MemoryLog } from "./memory_log.ts";
import type {
  AppendBatch,
  AppendOptions,
  AppendResult,
  ChannelInfo,
  Claim,
  CreateOptions,
  Store,
  StoredFrame,
  SyncMode,
  Watcher,
  Writer,
} from "./store.ts";

/**
 * A {@linkcode Store} that keeps everything in memory.
 *
 * @example
 * ```ts
 * import { MemoryStore } from "./memory_store.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const store = new MemoryStore();
 * await store.create({ id: "c", ttl: 1000, retention: 1000, maxBytes: 1024 });
 * await store.append("c", { origin: "relay" }, { n: 1, text: "{}" });
 * assertEquals((await store.info("c")).next, 1);
 * await store.close();
 * ```
 */
export class MemoryStore implements Store {
  /** Nothing survives the process. */
  readonly sync: SyncMode = "memory";
  #channels = new Map<string, MemoryLog>();

  /** See {@linkcode Store.create}. */
  async create(options: CreateOptions): Promise<ChannelInfo> {
    return this.#add(options).snapshot();
  }

  /** See {@linkcode Store.claim}. */
  async claim(
    id: string,
    producerId: string,
    continues?: { epoch: number; count: number },
  ): Promise<Claim & { restarted: boolean }> {
    return this.#get(id).claim(producerId, continues);
  }

  /** See {@linkcode Store.append}. Not async: this is the hot path, and a promise more a message shows. */
  append(
    id: string,
    writer: Writer,
    batch: AppendBatch,
    options?: AppendOptions,
  ): Promise<AppendResult> {
    try {
      return Promise.resolve(this.#get(id).append(writer, batch, options));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** See {@linkcode Store.appendNow}. */
  appendNow(id: string, writer: Writer, batch: AppendBatch): AppendResult {
    return this.#get(id).append(writer, batch);
  }

  /** See {@linkcode Store.setEnd}. */
  async setEnd(
    id: string,
    end: ChannelEnd,
  ): Promise<{ end: ChannelEnd; set: boolean }> {
    return this.#get(id).setEnd(end);
  }

  /** See {@linkcode Store.requestCancel}. */
  async requestCancel(
    id: string,
    cancel: CancelRequest,
  ): Promise<CancelRequest> {
    return this.#get(id).requestCancel(cancel);
  }

  /** See {@linkcode Store.renew}. */
  async renew(
    id: string,
    until: number,
    onDisconnect?: OnDisconnect,
  ): Promise<void> {
    this.#get(id).renew(until, onDisconnect);
  }

  /** See {@linkcode Store.touch}. */
  async touch(id: string): Promise<void> {
    this.#get(id).touch();
  }

  /** See {@linkcode Store.read}. */
  async read(
    id: string,
    from: number,
    maxBytes: number,
  ): Promise<StoredFrame[]> {
    return this.#get(id).read(from, maxBytes);
  }

  /** See {@linkcode Store.watch}. */
  watch(id: string, watcher: Watcher): () => void {
    return this.#get(id).watch(watcher);
  }

  /** See {@linkcode Store.putInput}. */
  async putInput(id: string, input: Uint8Array): Promise<void> {
    this.#get(id).putInput(input);
  }

  /** See {@linkcode Store.getInput}. */
  async getInput(id: string): Promise<Uint8Array | undefined> {
    return this.#get(id).input;
  }

  /** See {@linkcode Store.trim}. */
  async trim(id: string, before: number): Promise<void> {
    this.#get(id).trim(before);
  }

  /** See {@linkcode Store.fork}. */
  async fork(
    id: string,
    options: CreateOptions,
    at: number,
  ): Promise<ChannelInfo> {
    const source = this.#get(id);
    if (at > source.info.next) {
      throw new StreamError(
        "bad_offset",
        `Cannot fork at ${at}: the tail is ${source.info.next}, expected no more than that`,
      );
    }
    const log = this.#add(options);
    // what the source has dropped is missing here too: offsets are the same in both
    log.info.first = log.info.next = Math.min(source.info.first, at);
    for (const frame of source.read(source.info.first, Infinity)) {
      const n = Math.min(frame.n, at - frame.first);
      if (n <= 0) break;
      const text = n === frame.n ? frame.text : frame.text.split("\n").slice(0, n).join("\n");
      try {
        log.append({ origin: "relay" }, { n, text });
      } catch (error) {
        this.#channels.delete(options.id);
        throw error;
      }
    }
    return log.snapshot();
  }

  /** See {@linkcode Store.info}. */
  async info(id: string): Promise<ChannelInfo> {
    return this.#get(id).snapshot();
  }

  /** See {@linkcode Store.list}. */
  async list(prefix = ""): Promise<ChannelInfo[]> {
    return [...this.#channels.values()]
      .filter(({ info }) => info.id.startsWith(prefix))
      .map((log) => log.snapshot());
  }

  /** See {@linkcode Store.delete}. */
  async delete(id: string): Promise<void> {
    const log = this.#get(id);
    this.#channels.delete(id);
    log.gone();
  }

  /** See {@linkcode Store.sweep}. */
  async sweep(now: number, inUse: (id: string) => boolean): Promise<string[]> {
    const expired = [...this.#channels.values()].filter((log) =>
      log.expired(now) && !inUse(log.info.id)
    );
    for (const { info } of expired) await this.delete(info.id);
    return expired.map(({ info }) => info.id);
  }

  /** See {@linkcode Store.close}. */
  async close(): Promise<void> {
    this.#channels.clear();
  }

  #add(options: CreateOptions): MemoryLog {
    if (this.#channels.has(options.id)) {
      throw new StreamError(
        "conflict",
        `Cannot create channel ${JSON.stringify(options.id)}: there is one of that name`,
      );
    }
    const log = new MemoryLog(options, randomId(12));
    this.#channels.set(options.id, log);
    return log;
  }

  #get(id: string): MemoryLog {
    const log = this.#channels.get(id);
    if (log === undefined) {
      throw new StreamError(
        "not_found",
        `There is no channel ${JSON.stringify(id)}`,
      );
    }
    return log;
  }
}
