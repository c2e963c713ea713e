/**
 * The channels of a relay: which are live, who may make one, and when one goes.
 *
 * @module
 */
import { CHANNEL_ID_RULE, isChannelId, StreamError } from "../stream/mod.ts";
import type { AuditTrail } from "./audit.ts";
import { Channel, type ChannelContext } from "./channel.ts";
import { ChannelQuota } from "./channel_quota.ts";
import { GoneIncarnations } from "./gone_incarnations.ts";
import type { Logger } from "./log.ts";
import { newChannelId } from "./new_channel_id.ts";
import type { ChannelInfo } from "./store/store.ts";
import { demand, type Grant, type Role } from "./tokens.ts";

/** What {@linkcode Channels} needs to know. */
export interface ChannelsOptions extends Omit<ChannelContext, "idle" | "noted"> {
  /** Milliseconds a channel lives without connection, lease or end. */
  ttl: number;
  /** Milliseconds it is kept after its end. */
  retention: number;
  /** Most bytes of records a channel may hold. */
  maxBytes: number;
  /** What a channel does when it is full, unless it was told otherwise. */
  whenFull: "end" | "drop-oldest";
  /** Most channels that one token's subject may hold at a time. */
  channelsPerToken: number;
  /** Milliseconds between two looks for what has expired. */
  sweepInterval: number;
  /** Where it is noted what becomes of channels. */
  audit: AuditTrail;
  /** Where what happens is told. */
  log: Logger;
}

/** What a new channel is to be, in the words of the control API. */
export interface NewChannel {
  /** Its name; a random one by default. */
  id?: string;
  /** Seconds it may live without connection, lease or end. */
  ttl?: number;
  /** Whether its records are encrypted end to end. */
  keyed?: boolean;
  /** Most bytes of records; no more than the relay's own bound. */
  maxBytes?: number;
  /** What it does when it is full; as the relay is configured by default. */
  whenFull?: "end" | "drop-oldest";
}

/** How {@linkcode Channels.use} finds its channel. */
export interface UseOptions {
  /** The making of it that the asker has seen before. */
  incarnation?: string;
  /** Whether one that is not there is made where the credential allows that; `true` by default. */
  make?: boolean;
}

/** The channels of one relay. */
export class Channels {
  #options: ChannelsOptions;
  #context: ChannelContext;
  #live = new Map<string, Channel>();
  #opening = new Map<string, Promise<Channel>>();
  #gone = new GoneIncarnations();
  #quota: ChannelQuota;
  #closed?: StreamError;
  #emptied?: () => void;
  #timer: ReturnType<typeof setInterval>;

  /** @param options What it needs to know. */
  constructor(options: ChannelsOptions) {
    this.#options = options;
    this.#quota = new ChannelQuota(options.channelsPerToken);
    const noted = (channel: Channel) => options.audit.noted(channel);
    this.#context = { ...options, noted, idle: (channel) => this.#idle(channel) };
    this.#timer = setInterval(() => this.sweep(), options.sweepInterval);
  }

  /** The channels that somebody is connected to, or a timer runs for. */
  get live(): readonly Channel[] {
    return [...this.#live.values()];
  }

  /**
   * Makes a channel.
   *
   * @param grant What the asker's credential allows.
   * @param wanted What it is to be.
   * @param implicit Whether a connection makes it rather than the control API.
   * @returns What the store knows of it.
   * @throws {StreamError} `bad_request` for a bad id, `forbidden`, `conflict`, or `limit`.
   */
  async create(
    grant: Grant,
    wanted: NewChannel,
    implicit = false,
  ): Promise<ChannelInfo> {
    const { ttl, retention, maxBytes, whenFull, store, audit } = this.#options;
    const id = wanted.id ?? grant.channel ?? newChannelId(grant.prefix);
    checkId(id);
    demand(grant, "create", { id });
    if (this.#closed) throw this.#closed;
    if (this.draining) {
      throw new StreamError(
        "overloaded",
        "The relay is about to go away and makes no new channels, come back later",
      );
    }
    const owner = grant.subject ?? grant.prefix;
    const giveBack = this.#quota.take(owner, id);
    try {
      const made = await store.create({
        id,
        owner,
        implicit,
        keyed: wanted.keyed,
        retention,
        ttl: wanted.ttl === undefined ? ttl : wanted.ttl * 1000,
        maxBytes: Math.min(wanted.maxBytes ?? maxBytes, maxBytes),
        whenFull: wanted.whenFull ?? whenFull,
      });
      audit.note("created", grant, { channel: id });
      return made;
    } catch (error) {
      giveBack();
      throw error;
    }
  }

  /**
   * Does something with the live channel of a name, made on the way where the credential allows that.
   * It is kept live until the task is done; whoever attaches meanwhile keeps it longer.
   *
   * @param id Its name.
   * @param grant What the asker's credential allows.
   * @param role What is asked.
   * @param task What is done with it.
   * @param options Which making of it, and whether to make it.
   * @returns What the task returned.
   * @throws {StreamError} `not_found`, `expired`, `relay_restarted`, `forbidden` or `overloaded`.
   */
  async use<T>(
    id: string,
    grant: Grant,
    role: Role,
    task: (channel: Channel) => T | Promise<T>,
    options: UseOptions = {},
  ): Promise<T> {
    const { incarnation, make = true } = options;
    checkId(id);
    // before anything tells whether the channel is there
    demand(grant, role, { id });
    for (;;) {
      if (this.#closed) throw this.#closed;
      const channel = this.#live.get(id) ??
        await this.#load(id, grant, incarnation ?? grant.incarnation, make);
      // somebody else who loaded it may have been done with it before this one got its turn
      if (!channel.live) continue;
      const release = channel.hold();
      try {
        demand(grant, role, { id, incarnation: channel.incarnation });
        if (incarnation !== undefined && incarnation !== channel.incarnation) {
          throw new StreamError(
            "relay_restarted",
            "The channel was made anew since it was last seen; what it held is gone",
          );
        }
        return await task(channel);
      } finally {
        release();
      }
    }
  }

  /** What the store knows of a channel, without making it live. */
  async info(id: string, grant: Grant, role: Role): Promise<ChannelInfo> {
    checkId(id);
    demand(grant, role, { id });
    let info: ChannelInfo;
    try {
      info = await this.#known(id);
    } catch (error) {
      if (!isNotFound(error) || grant.incarnation === undefined) throw error;
      throw this.#lost(grant.incarnation);
    }
    demand(grant, role, { id, incarnation: info.incarnation });
    return info;
  }

  /** After a restart: makes those channels live whose producer or supervisor is to be waited for. */
  async revive(): Promise<void> {
    for (const { id, owner, end, claims, leaseUntil } of await this.#options.store.list()) {
      this.#quota.found(owner, id);
      if (end || (claims.length === 0 && leaseUntil === undefined)) continue;
      const channel = await this.#fetch(id);
      await channel.revive(leaseUntil !== undefined);
    }
  }

  /** Removes a channel; whoever is connected is told `expired`. */
  async delete(id: string): Promise<void> {
    const { incarnation } = await this.#options.store.info(id);
    await this.#options.store.delete(id);
    this.#forget(id, incarnation);
  }

  /** Removes what has expired. */
  async sweep(now: number = Date.now()): Promise<void> {
    const { store, log, audit } = this.#options;
    try {
      const incarnations = new Map(
        (await store.list()).map(({ id, incarnation }) => [id, incarnation]),
      );
      const inUse = (id: string) => this.#live.get(id)?.inUse ?? false;
      for (const id of await store.sweep(now, inUse)) {
        this.#forget(id, incarnations.get(id));
        log("info", "Channel expired", { channel: id.slice(0, 8) });
        audit.became("expired", id);
      }
    } catch (error) {
      log("error", "Cannot sweep channels", { error: String(error) });
    }
  }

  /** Whether no new channels are made. */
  get draining(): boolean {
    return this.#emptied !== undefined;
  }

  /**
   * Makes no new channels from now on.
   *
   * @param emptied Called, once or more, when no channel is live.
   */
  drain(emptied: () => void): void {
    this.#emptied = emptied;
    if (this.#live.size === 0) emptied();
  }

  /**
   * Lets go of every channel and its timers; nothing is opened any more.
   *
   * @param why What whoever is still connected is told.
   */
  close(why: StreamError): void {
    this.#closed = why;
    clearInterval(this.#timer);
    for (const channel of this.live) channel.leave(why);
  }

  async #load(
    id: string,
    grant: Grant,
    incarnation: string | undefined,
    make: boolean,
  ): Promise<Channel> {
    try {
      return await this.#fetch(id);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      if (incarnation !== undefined) throw this.#lost(incarnation);
      const may = grant.roles.includes("admin") ||
        grant.roles.includes("create");
      if (!make || !may) throw error;
    }
    try {
      await this.create(grant, { id }, true);
    } catch (error) {
      // another connection made it first
      if (!(error instanceof StreamError) || error.code !== "conflict") {
        throw error;
      }
    }
    return await this.#fetch(id);
  }

  /** Makes a channel live; those who ask at the same time get the same one. */
  #fetch(id: string): Promise<Channel> {
    let opening = this.#opening.get(id);
    if (!opening) {
      opening = this.#known(id)
        .then((info) => {
          if (this.#closed) throw this.#closed;
          const channel = new Channel(info, this.#context);
          this.#live.set(id, channel);
          return channel;
        })
        .finally(() => this.#opening.delete(id));
      this.#opening.set(id, opening);
    }
    return opening;
  }

  /** Expiry counts on access too, not only when the sweep comes by. */
  async #known(id: string): Promise<ChannelInfo> {
    const info = await this.#options.store.info(id);
    const now = Date.now();
    const kept = info.expires > now || (info.leaseUntil ?? 0) > now;
    if (kept || this.#live.get(id)?.inUse) return info;
    await this.delete(id);
    this.#options.audit.became("expired", id);
    throw new StreamError(
      "not_found",
      `There is no channel ${JSON.stringify(id)}`,
    );
  }

  /** Why a channel that was there is not: a store that forgets has most likely been started anew. */
  #lost(incarnation: string): StreamError {
    if (this.#gone.has(incarnation) || this.#options.store.sync !== "memory") {
      return new StreamError(
        "expired",
        "The channel is gone: its time was over or it was deleted",
      );
    }
    return new StreamError(
      "relay_restarted",
      "The relay was started anew since the channel was last seen, and keeps channels in memory only",
    );
  }

  #forget(id: string, incarnation?: string): void {
    if (incarnation) this.#gone.add(incarnation);
    this.#quota.forget(id);
  }

  #idle(channel: Channel): void {
    if (this.#live.get(channel.id) !== channel) return;
    this.#live.delete(channel.id);
    if (this.#live.size === 0) this.#emptied?.();
    // its time counts from when the last one left
    this.#options.store.touch(channel.id).catch(() => {});
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof StreamError && error.code === "not_found";
}

function checkId(id: string): void {
  if (!isChannelId(id)) {
    throw new StreamError(
      "bad_request",
      `Cannot use channel id ${JSON.stringify(id.slice(0, 140))}: expected ${CHANNEL_ID_RULE}`,
    );
  }
}
