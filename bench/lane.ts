/**
 * A lane: one channel's producer and consumer, both in this process, so that one clock times both ends.
 *
 * @module
 */
import { encodeV1Auth } from "../stream/mod.ts";
import type { Server } from "./servers.ts";
import { openV2Lane } from "./v2_lane.ts";

/** One channel with a producer and a consumer. */
export interface Lane {
  /** Sends a record by the rule of its face. */
  push(record: string): void;
  /** Ends the stream and closes both connections. */
  close(): void;
}

/** The record a lane is tried with; it is not counted. */
export const PROBE = '{"type":"token","content":"probe"}';
/** How often, one after the other: TCP holds an early small packet back for 40 ms, whatever the server. */
export const PROBES = 3;

/**
 * Opens a lane and waits until its first records, {@linkcode PROBE}, have crossed it.
 *
 * @param server The server between.
 * @param received Called with every record line that arrives after the probes.
 * @returns The lane.
 */
export function openLane(server: Server, received: (record: string) => void): Promise<Lane> {
  const channel = crypto.randomUUID();
  return server.face === "v1"
    ? openV1Lane(server, channel, received)
    : openV2Lane(server, channel, received);
}

async function openV1Lane(
  { url, secret }: Server,
  channel: string,
  received: (record: string) => void,
): Promise<Lane> {
  const consumer = await openSocket(`${url}/consume/${channel}`);
  if (secret !== undefined) consumer.send(encodeV1Auth(secret));
  const producer = await openSocket(`${url}/produce/${channel}`);
  if (secret !== undefined) producer.send(encodeV1Auth(secret));
  for (let probe = 0; probe < PROBES; probe++) {
    const crossed = new Promise((resolve) => consumer.onmessage = resolve);
    producer.send(PROBE);
    await crossed;
  }
  consumer.onmessage = ({ data }) => received(data);
  return {
    push: (record) => producer.send(record),
    close() {
      consumer.onmessage = null;
      producer.send('{"type":"done"}');
      producer.close();
      consumer.close();
    },
  };
}

/**
 * Opens a WebSocket.
 *
 * @param url Where.
 * @returns The open socket.
 * @throws {Error} When it does not open.
 */
export function openSocket(url: string): Promise<WebSocket> {
  const socket = new WebSocket(url);
  return new Promise((resolve, reject) => {
    socket.onopen = () => resolve(socket);
    socket.onerror = () => reject(new Error(`Cannot connect to ${url}`));
  });
}
