/**
 * A lane in v2, gathering records by the rule of our client: at once while the way is free; while it is
 * busy (bytes wait in the socket, or 8 frames for their acknowledgement) up to 512 records a frame.
 *
 * @module
 */
import { encodeControl, encodeFrame } from "../stream/mod.ts";
import { type Lane, openSocket, PROBE, PROBES } from "./lane.ts";
import type { Server } from "./servers.ts";

const MAX_RECORDS = 512;
const MAX_UNACKED = 8;
const CREDIT = 1024 * 1024;

/**
 * Opens a lane in v2.
 *
 * @param server The server between.
 * @param channel The channel's name; the root secret makes it.
 * @param received Called with every record line that arrives after the probes.
 * @returns The lane.
 */
export async function openV2Lane(
  { url, secret }: Server,
  channel: string,
  received: (record: string) => void,
): Promise<Lane> {
  const consumer = await openSocket(`${url}/v2/consume/${channel}`);
  consumer.send(encodeControl({ hello: { v: 2, auth: secret, from: 0, credit: CREDIT } }));
  let deliver = (_record: string) => {};
  takeFrames(consumer, (record) => deliver(record));
  const producer = await openSocket(`${url}/v2/produce/${channel}`);
  const gatherer = await greet(producer, channel, secret);
  for (let probe = 0; probe < PROBES; probe++) {
    const crossed = new Promise<void>((resolve) => deliver = () => resolve());
    gatherer.push(PROBE);
    await crossed;
  }
  deliver = received;
  return {
    push: (record) => gatherer.push(record),
    close() {
      producer.onmessage = consumer.onmessage = null;
      gatherer.end();
      producer.close();
      consumer.close();
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

function greet(socket: WebSocket, instance: string, auth?: string): Promise<Gatherer> {
  socket.send(encodeControl({ hello: { v: 2, auth, instance } }));
  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      const { hello } = JSON.parse(data);
      if (hello === undefined) return reject(new Error(`The relay answered ${data}`));
      const gatherer = new Gatherer(socket, hello.epoch);
      socket.onmessage = () => gatherer.acknowledged();
      resolve(gatherer);
    };
  });
}

class Gatherer {
  #socket: WebSocket;
  #epoch: number;
  #seq = 0;
  #unacked = 0;
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

  acknowledged(): void {
    this.#unacked--;
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
    if (this.#unacked === 0) return false;
    this.#isBusy = this.#unacked >= MAX_UNACKED || this.#socket.bufferedAmount > 0;
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
    this.#unacked++;
  }
}
