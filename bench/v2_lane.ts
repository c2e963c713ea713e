/**
 * The ends of a channel in v2, the producer gathering records by the rule of our client: at once while the way is free; while it is
 * busy (bytes wait in the socket, or 8 frames for their acknowledgement) up to 512 records a frame.
 *
 * @module
 */
import { encodeControl, encodeFrame } from "../stream/mod.ts";
import { openSocket, type ProducerEnd } from "./lane.ts";
import type { Address } from "./servers.ts";

const MAX_RECORDS = 512;
const MAX_UNACKED = 8;
const CREDIT = 1024 * 1024;

/**
 * Opens a consumer in v2; it makes the channel.
 *
 * @param server The server.
 * @param channel The channel's name.
 * @param received Called with every record line that arrives.
 * @returns Closes it.
 */
export async function openV2Consumer(
  { url, secret }: Address,
  channel: string,
  received: (record: string) => void,
): Promise<() => void> {
  const socket = await openSocket(`${url}/v2/consume/${channel}`);
  socket.send(encodeControl({ hello: { v: 2, auth: secret, from: 0, credit: CREDIT } }));
  takeFrames(socket, received);
  return () => {
    socket.onmessage = null;
    socket.close();
  };
}

/**
 * Opens a producer in v2.
 *
 * @param server The server.
 * @param channel The channel's name; the root secret makes it.
 * @returns The producer.
 */
export async function openV2Producer(
  server: Address,
  channel: string,
): Promise<ProducerEnd> {
  const { socket, epoch } = await greetV2Producer(server, channel);
  const gatherer = new Gatherer(socket, epoch);
  socket.onmessage = ({ data }: MessageEvent<string>) => gatherer.heard(data);
  return {
    push: (record) => gatherer.push(record),
    close() {
      socket.onmessage = null;
      gatherer.end();
      socket.close();
    },
  };
}

function takeFrames(socket: WebSocket, received: (record: string) => void): void {
  let taken = 0;
  let told = 0;
  socket.onmessage = ({ data }: MessageEvent<string>) => {
    if (!data.startsWith('{"n":')) return;
    const lines = data.split("\n");
    for (let at = 1; at < lines.length; at++) received(lines[at]);
    taken += data.length;
    if ((taken - told) * 4 < CREDIT) return;
    told = taken;
    socket.send(encodeControl({ credit: { bytes: taken + CREDIT } }));
  };
}

/**
 * Connects a producer in v2, which may write once this returns.
 *
 * @param server The server.
 * @param channel The channel's name.
 * @returns Its socket, and the epoch of its claim.
 * @throws {Error} When the server refuses it.
 */
export async function greetV2Producer(
  { url, secret }: Address,
  channel: string,
): Promise<{ socket: WebSocket; epoch: number }> {
  const socket = await openSocket(`${url}/v2/produce/${channel}`);
  socket.send(encodeControl({ hello: { v: 2, auth: secret, instance: channel } }));
  return await new Promise((resolve, reject) => {
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const { hello } = JSON.parse(data);
      if (hello === undefined) reject(new Error(`The relay answered ${data}`));
      else resolve({ socket, epoch: hello.epoch });
    };
  });
}

class Gatherer {
  #socket: WebSocket;
  #epoch: number;
  #seq = 0;
  /** The seq behind each frame that is not acknowledged yet. */
  #unacked: number[] = [];
  #waiting: string[] = [];
  /** As in the client: known to be busy until an acknowledgement or the next turn says otherwise. */
  #isBusy = false;

  constructor(socket: WebSocket, epoch: number) {
    this.#socket = socket;
    this.#epoch = epoch;
  }

  push(record: string): void {
    this.#waiting.push(record);
    this.#pump();
  }

  heard(message: string): void {
    const { ack } = JSON.parse(message);
    if (ack === undefined) return;
    // one acknowledgement may be for several frames
    while (this.#unacked[0] <= ack.next) this.#unacked.shift();
    this.#isBusy = false;
    this.#pump();
  }

  end(): void {
    this.#waiting = [];
    this.#send(['{"type":"done","reason":"completed"}'], "done");
  }

  #pump(): void {
    while (this.#waiting.length > 0) {
      // a full frame goes anyway, a first record goes alone and at once
      if (this.#waiting.length < MAX_RECORDS && this.#busy()) return;
      this.#send(this.#waiting);
      this.#waiting = [];
    }
  }

  #busy(): boolean {
    if (this.#isBusy) return true;
    if (this.#unacked.length === 0) return false;
    this.#isBusy = this.#unacked.length >= MAX_UNACKED || this.#socket.bufferedAmount > 0;
    if (this.#isBusy) {
      setTimeout(() => {
        this.#isBusy = false;
        this.#pump();
      }, 0);
    }
    return this.#isBusy;
  }

  #send(records: string[], close?: "done"): void {
    const n = records.length;
    const header = { n, e: this.#epoch, s: this.#seq, close };
    this.#socket.send(encodeFrame(header, records.join("\n")));
    this.#seq += n;
    this.#unacked.push(this.#seq);
  }
}
