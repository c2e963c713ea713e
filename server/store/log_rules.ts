/**
 * The rules of one channel's log: who may write, what is trimmed, when it is full, what is set once.
 * Every store that holds its channels' state in this process keeps them by extending this class; where
 * the frames lie, and who is told when, is the store's own.
 *
 * Length: claims, appends, room and the end are stated together in the semantics, and share one state.
 *
 * @module
 */
import {
  type CancelRequest,
  type ChannelEnd,
  type OnDisconnect,
  StreamError,
} from "../../stream/mod.ts";
import type {
  AppendBatch,
  AppendOptions,
  AppendResult,
  ChannelInfo,
  Claim,
  CreateOptions,
  StoredFrame,
  Watcher,
  Writer,
} from "./store.ts";

/** The state of a log, and what may be done to it; everything is synchronous. */
export abstract class LogRules {
  /** What is known of it, kept current. */
  readonly info: ChannelInfo;
  /** What it was made as. */
  readonly options: CreateOptions;
  /** Who is told of what happens; another array whenever somebody comes or goes. */
  watchers: readonly Watcher[] = [];
  /** The greatest `Stream-Seq` so far. */
  protected streamSeq?: string;

  /**
   * @param options What it is to be.
   * @param incarnation Its random id.
   */
  constructor(options: CreateOptions, incarnation: string) {
    const created = Date.now();
    this.options = options;
    this.info = {
      id: options.id,
      incarnation,
      kind: options.kind ?? "exclusive",
      contentType: options.contentType ?? "application/json",
      keyed: options.keyed ?? false,
      owner: options.owner,
      created,
      first: 0,
      next: 0,
      bytes: 0,
      maxBytes: options.maxBytes,
      claims: [],
      expires: created + options.ttl,
    };
  }

  /** Keeps a frame; the tail has moved on already. */
  protected abstract kept(frame: StoredFrame): void;
  /** Drops whole frames, the oldest first, until no more than so many bytes are left. */
  protected abstract dropOldest(bytes: number): void;
  /** The end was set: keeps it, and drops the input. */
  protected abstract ended(end: ChannelEnd): void;
  /** A cancel was asked for: keeps it. */
  protected abstract cancelled(cancel: CancelRequest): void;
  /** Claims or the lease were changed: keeps them. */
  protected abstract changed(): void;

  /** A copy of the info that does not change any more. */
  snapshot(): ChannelInfo {
    return {
      ...this.info,
      claims: this.info.claims.map((claim) => ({ ...claim })),
    };
  }

  /** See `Store.claim`. */
  claim(
    producerId: string,
    continues?: { epoch: number; count: number },
  ): Claim & { restarted: boolean } {
    const { claims } = this.info;
    const newest = claims.at(-1);
    if (newest?.producerId === producerId) {
      return { ...newest, restarted: false };
    }
    if (claims.some((claim) => claim.producerId === producerId)) throw fenced();
    this.refuseEnded();
    if (
      continues &&
      (continues.epoch !== newest?.epoch || continues.count !== newest.next)
    ) {
      throw new StreamError(
        "seq_gap",
        `Cannot continue epoch ${continues.epoch} at ${continues.count}: committed is epoch ${
          newest?.epoch ?? 0
        } at ${newest?.next ?? 0}`,
      );
    }
    const restarted = newest !== undefined && newest.next > 0 && !continues;
    const claim: Claim = {
      producerId,
      epoch: claims.length + 1,
      next: 0,
      fenced: false,
    };
    if (newest) newest.fenced = true;
    claims.push(claim);
    this.touch();
    this.changed();
    return { ...claim, restarted };
  }

  /** See `Store.append`. */
  append(
    writer: Writer,
    batch: AppendBatch,
    options?: AppendOptions,
  ): AppendResult {
    const { info } = this;
    let { n, text } = batch;
    let claim: Claim | undefined;
    if (writer.origin === "producer") {
      claim = this.#claimOf(writer.id, writer.epoch);
      const ahead = claim.next - writer.seq;
      if (ahead < 0) {
        throw new StreamError(
          "seq_gap",
          `Cannot append seq ${writer.seq}: the next of this claim is ${claim.next}`,
          { details: { expected: claim.next } },
        );
      }
      if (ahead >= writer.span && writer.span > 0) {
        return {
          next: info.next,
          nextSeq: claim.next,
          appended: 0,
          end: info.end,
        };
      }
      if (ahead > 0) {
        // what was committed before the cut comes again: only the rest is new
        n -= ahead;
        text = text.split("\n").slice(ahead).join("\n");
      }
    }
    this.refuseEnded();
    this.#checkStreamSeq(options?.streamSeq);
    this.#makeRoom(text.length);
    this.streamSeq = options?.streamSeq ?? this.streamSeq;
    const { origin } = writer;
    const first = info.next;
    // in one piece: a field that is added later lies in an object of its own
    const frame: StoredFrame = claim === undefined
      ? { first, n, text, origin }
      : { first, n, text, origin, epoch: claim.epoch, seq: claim.next };
    if (writer.origin === "producer" && claim) {
      if (n > 0 && claim.first === undefined) {
        claim.first = first;
        this.changed();
      }
      claim.next = writer.seq + writer.span;
    }
    info.next += n;
    info.bytes += text.length;
    // a batch of no records only closes, or moves a Stream-Seq: there is nothing to read
    if (n > 0) this.kept(frame);
    else this.changed();
    const result: AppendResult = {
      next: info.next,
      nextSeq: claim?.next,
      appended: n,
    };
    if (options?.close) {
      const end: ChannelEnd = {
        kind: options.close,
        by: writer.origin === "producer" ? "producer" : writer.origin,
        ts: Date.now(),
      };
      if (n > 0) end.offset = info.next - 1;
      result.end = this.setEnd(end).end;
    }
    return result;
  }

  /** See `Store.setEnd`. */
  setEnd(end: ChannelEnd): { end: ChannelEnd; set: boolean } {
    if (this.info.end) return { end: this.info.end, set: false };
    this.info.end = end;
    this.info.expires = Date.now() + this.options.retention;
    this.info.leaseUntil = undefined;
    this.ended(end);
    return { end, set: true };
  }

  /** See `Store.requestCancel`. */
  requestCancel(cancel: CancelRequest): CancelRequest {
    if (this.info.cancel) return this.info.cancel;
    this.info.cancel = cancel;
    this.cancelled(cancel);
    return cancel;
  }

  /** See `Store.renew`. */
  renew(until: number, onDisconnect?: OnDisconnect): void {
    this.info.leaseUntil = until > 0 ? until : undefined;
    if (onDisconnect) this.info.onDisconnect = onDisconnect;
    this.touch();
    this.changed();
  }

  /** See `Store.touch`. */
  touch(): void {
    if (!this.info.end) this.info.expires = Date.now() + this.options.ttl;
  }

  /** Whether its time is over, as far as the store knows. */
  expired(now: number): boolean {
    const { expires, leaseUntil } = this.info;
    return expires <= now && !(leaseUntil && leaseUntil > now);
  }

  /** See `Store.watch`. */
  watch(watcher: Watcher): () => void {
    this.watchers = [...this.watchers, watcher];
    return () => this.watchers = this.watchers.filter((other) => other !== watcher);
  }

  /** Tells whoever watches that it is no more. */
  gone(): void {
    for (const watcher of this.watchers) watcher.gone();
    this.watchers = [];
  }

  /** @throws {StreamError} `ended` when the channel has its end. */
  refuseEnded(): void {
    if (this.info.end) {
      throw new StreamError(
        "ended",
        `The channel has its end (${this.info.end.kind}) already`,
        {
          details: { end: this.info.end },
        },
      );
    }
  }

  #claimOf(producerId: string, epoch: number): Claim {
    const newest = this.info.claims.at(-1);
    if (newest?.producerId === producerId && newest.epoch === epoch) {
      return newest;
    }
    if (this.info.claims.some((claim) => claim.producerId === producerId)) {
      throw fenced();
    }
    throw new StreamError(
      "conflict",
      `Cannot append for epoch ${epoch}: this producer holds no such claim, expected a claim first`,
    );
  }

  #checkStreamSeq(streamSeq: string | undefined): void {
    if (streamSeq === undefined) return;
    if (this.streamSeq !== undefined && streamSeq <= this.streamSeq) {
      throw new StreamError(
        "conflict",
        `Cannot append Stream-Seq ${JSON.stringify(streamSeq)}: the last was ${
          JSON.stringify(this.streamSeq)
        }, expected a greater one`,
      );
    }
  }

  #makeRoom(bytes: number): void {
    const { info } = this;
    if (info.bytes + bytes <= info.maxBytes) return;
    if (
      this.options.whenFull !== "drop-oldest" || info.keyed ||
      bytes > info.maxBytes
    ) {
      throw new StreamError(
        "limit",
        `The channel is full: it holds ${info.bytes} of at most ${info.maxBytes} bytes`,
        { details: { maxBytes: info.maxBytes } },
      );
    }
    // down to nine tenths at once, so that a full channel does not trim on every append
    this.dropOldest(Math.min(info.maxBytes * 0.9, info.maxBytes - bytes));
  }
}

function fenced(): StreamError {
  return new StreamError("fenced", "A newer producer has claimed the channel");
}
