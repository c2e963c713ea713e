/**
 * Who did what with which channel, from where: without a word of what went over it.
 *
 * @module
 */
import { isChannelId, parseEvent, StreamError } from "../stream/mod.ts";
import type { Channel } from "./channel.ts";
import type { Session } from "./faces/peer_gate.ts";
import type { Store, StoredFrame } from "./store/store.ts";
import type { Grant, Role } from "./tokens.ts";

/** What happened. */
export type AuditEvent =
  /** A channel was made. */
  | "created"
  /** Somebody connected to one. */
  | "opened"
  /** They went. */
  | "closed"
  /** Its input was put, or read. */
  | "input"
  /** Somebody asked that its job stop. */
  | "cancelled"
  /** It has its end. */
  | "ended"
  /** Somebody removed it. */
  | "deleted"
  /** Its time was over. */
  | "expired"
  /** Somebody had no credential for what they asked, or a wrong one. */
  | "refused";

/** One line of an audit log. */
export interface AuditEntry {
  /** When, as ISO 8601. */
  ts: string;
  /** What. */
  event: AuditEvent;
  /** Which channel. */
  channel?: string;
  /** The scheduler's id of its job, once the channel has been told of it. */
  jobId?: string;
  /** Who: the subject of their token, or the token it was made with. */
  who?: string;
  /** By what right: the root secret, a token, or none on a relay that asks for none. */
  key?: "secret" | "token" | "none";
  /** From where: the address of the other end of the connection. */
  from?: string;
  /** As what. */
  as?: Role;
  /** Which face: `v1`, `v2`, `http`, `pipe`. */
  face?: string;
  /** Bytes written by a producer or read by a consumer; of an end, all that the channel holds. */
  bytes?: number;
  /** Of a connection: how long it lasted, in seconds. */
  seconds?: number;
  /** Of an end: `done`, `error` or `sealed`. */
  end?: string;
  /** Of a failing end, or a refusal: its code. */
  code?: string;
  /** Of an end, and of a cancel: which side it came from. */
  by?: string;
}

/** Takes the lines of an audit log; it must not throw. */
export type Audit = (entry: AuditEntry) => void;

/** Somebody's stay at a channel. */
export interface Visit {
  /** Notes that it is over, with the bytes that a consumer was sent. */
  leave(bytes?: number): void;
}

/** What is looked at for a job's id. */
const HEAD_BYTES = 64 * 1024;

/** How many channels' job ids are remembered. */
const REMEMBERED = 10_000;

const UNSEEN: Visit = { leave: () => {} };

/** Writes an audit log, if there is one. Nothing of it runs for a message. */
export class AuditTrail {
  #write?: Audit;
  #store: Store;
  #jobs = new Map<string, string>();
  #pending = new Set<Promise<void>>();

  /**
   * @param write Takes the lines; without it nothing is noted.
   * @param store Where the channels are kept.
   */
  constructor(write: Audit | undefined, store: Store) {
    this.#write = write;
    this.#store = store;
  }

  /**
   * Notes what somebody did.
   *
   * @param event What.
   * @param grant What their credential allows.
   * @param more Which channel, and what else there is to say.
   */
  note(event: AuditEvent, grant: Grant, more: Partial<AuditEntry> = {}): void {
    if (this.#write === undefined) return;
    const { channel } = more;
    this.#tell({
      event,
      ...(channel !== undefined && this.#jobs.has(channel) && { jobId: this.#jobs.get(channel) }),
      ...whoOf(grant),
      ...more,
    });
    if (channel !== undefined && event === "deleted") this.#jobs.delete(channel);
  }

  /**
   * Notes what became of a channel by itself.
   *
   * @param event What.
   * @param channel Which.
   * @param more What else there is to say.
   */
  became(event: AuditEvent, channel: string, more: Partial<AuditEntry> = {}): void {
    if (this.#write === undefined) return;
    const ts = now();
    if (event === "expired") {
      return this.#tell({ ts, event, channel, ...this.#known(channel), ...more });
    }
    this.#later(async () => {
      const [job, info] = await Promise.all([
        this.#jobOf(channel),
        this.#store.info(channel).catch(() => undefined),
      ]);
      this.#tell({ ts, event, channel, ...job, ...(info && { bytes: info.bytes }), ...more });
    });
  }

  /**
   * Notes that a channel has its end, or that the relay wants its job to stop; who else asks for that is
   * noted where they do.
   *
   * @param channel The channel.
   */
  noted({ id, end, cancel }: Pick<Channel, "id" | "end" | "cancel">): void {
    if (end) {
      const { kind, by, code } = end;
      this.became("ended", id, { end: kind, by, ...(code && { code }) });
    } else if (cancel?.by === "relay") this.became("cancelled", id, { by: "relay" });
  }

  /**
   * Notes that somebody is connected to a channel.
   *
   * @param grant What their credential allows.
   * @param channel Which.
   * @param as As what.
   * @param face By which face.
   * @returns Their stay.
   */
  enter(grant: Grant, channel: string, as: Role, face: string): Visit {
    if (this.#write === undefined) return UNSEEN;
    const began = performance.now();
    const who = { channel, as, face };
    this.note("opened", grant, who);
    const held = as === "produce" ? this.#bytesOf(channel) : undefined;
    let left = false;
    return {
      leave: (bytes) => {
        if (left) return;
        left = true;
        const ts = now();
        const seconds = Math.round((performance.now() - began) / 100) / 10;
        this.#later(async () => {
          const job = await this.#jobOf(channel);
          // one producer at a time: what the channel holds more by now is theirs
          const written = held && Math.max(0, await this.#bytesOf(channel) - await held);
          this.note("closed", grant, { ts, ...who, ...job, bytes: bytes ?? written, seconds });
        });
      },
    };
  }

  /**
   * Notes a session from its begin to its end.
   *
   * @param session The session.
   * @param grant What the credential allows.
   * @param channel Which channel.
   * @param as As what.
   * @param face By which face.
   * @returns The same session.
   */
  session(session: Session, grant: Grant, channel: string, as: Role, face: string): Session {
    if (this.#write === undefined) return session;
    const visit = this.enter(grant, channel, as, face);
    const closed = session.closed.bind(session);
    session.closed = (code) => {
      closed(code);
      visit.leave(session.sent);
    };
    return session;
  }

  /**
   * Notes a refusal for want of a credential; other failures are no matter of it.
   *
   * @param error What was thrown.
   * @param from From where.
   * @param more What was asked for.
   */
  refused(error: unknown, from: string | undefined, more: Partial<AuditEntry>): void {
    if (this.#write === undefined || !(error instanceof StreamError)) return;
    const { code } = error;
    if (code !== "unauthorized" && code !== "forbidden") return;
    const { channel = "", ...rest } = more;
    // a stranger can call anything a channel
    const named = isChannelId(channel) ? { channel } : {};
    this.#tell({ event: "refused", code, ...(from && { from }), ...named, ...rest });
  }

  /** Waits for what is still to be written. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #tell({ ts = now(), ...entry }: Partial<AuditEntry> & { event: AuditEvent }): void {
    this.#write?.({ ts, ...entry });
  }

  #later(work: () => Promise<void>): void {
    const pending = work().catch(() => {}).finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
  }

  async #bytesOf(channel: string): Promise<number> {
    return (await this.#store.info(channel).catch(() => undefined))?.bytes ?? 0;
  }

  #known(channel: string): { jobId?: string } {
    const jobId = this.#jobs.get(channel);
    return jobId === undefined ? {} : { jobId };
  }

  /** The job's id stands in the first statuses, a supervisor's in the clear whatever is encrypted. */
  async #jobOf(channel: string): Promise<{ jobId?: string }> {
    if (!this.#jobs.has(channel)) {
      const frames = await this.#store.read(channel, 0, HEAD_BYTES).catch(() => []);
      const told = frames.filter(({ origin }) => origin === "supervisor").concat(frames);
      const jobId = told.map(jobIdIn).find((id) => id !== undefined);
      if (jobId !== undefined) this.#jobs.set(channel, jobId);
      if (this.#jobs.size > REMEMBERED) this.#jobs.delete(this.#jobs.keys().next().value!);
    }
    return this.#known(channel);
  }
}

function jobIdIn({ text }: StoredFrame): string | undefined {
  for (const line of text.split("\n")) {
    if (!line.includes('"jobId"')) continue;
    const event = parseEvent(line);
    if (event.type === "status" && typeof event.jobId === "string") {
      return event.jobId.slice(0, 256);
    }
  }
}

function whoOf({ subject, key, from }: Grant): Partial<AuditEntry> {
  return { ...(subject && { who: subject }), ...(key && { key }), ...(from && { from }) };
}

function now(): string {
  return new Date().toISOString();
}
