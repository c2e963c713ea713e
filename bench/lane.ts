/**
 * The two ends of a channel, by the face of the server between.
 *
 * @module
 */
import { encodeV1Auth } from "../stream/mod.ts";
import type { Address } from "./servers.ts";
import { openV2Consumer, openV2Producer } from "./v2_lane.ts";

/** A channel's producer. */
export interface ProducerEnd {
  /** Sends a record by the rule of its face. */
  push(record: string): void;
  /** Ends the stream and closes the connection. */
  close(): void;
}

/**
 * Opens a channel's consumer.
 *
 * @param server The server.
 * @param channel The channel's name.
 * @param received Called with every record line that arrives.
 * @returns Closes it; nothing is received any more.
 */
export async function openConsumer(
  server: Address,
  channel: string,
  received: (record: string) => void,
): Promise<() => void> {
  const { url, secret } = server;
  if (server.face === "v2") return await openV2Consumer(server, channel, received);
  const socket = await openSocket(`${url}/consume/${channel}`);
  if (secret !== undefined) socket.send(encodeV1Auth(secret));
  socket.onmessage = ({ data }) => received(data);
  return () => {
    socket.onmessage = null;
    socket.close();
  };
}

/**
 * Opens a channel's producer.
 *
 * @param server The server.
 * @param channel The channel's name.
 * @returns The producer.
 */
export async function openProducer(server: Address, channel: string): Promise<ProducerEnd> {
  const { url, secret } = server;
  if (server.face === "v2") return await openV2Producer(server, channel);
  const socket = await openSocket(`${url}/produce/${channel}`);
  if (secret !== undefined) socket.send(encodeV1Auth(secret));
  return {
    push: (record) => socket.send(record),
    close() {
      socket.send('{"type":"done"}');
      socket.close();
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
