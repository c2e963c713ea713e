/**
 * How long a channel takes to be read from its start.
 *
 * @module
 */
import { encodeFrame } from "../stream/mod.ts";
import { openConsumer } from "./lane.ts";
import type { Address } from "./servers.ts";
import { tokenRecord } from "./token_record.ts";
import { greetV2Producer } from "./v2_lane.ts";

/** Tokens of the channel. */
const TOKENS = 10_000;
/** How many of them are sent before an acknowledgement is waited for. */
const AT_A_TIME = 500;

/**
 * Fills a channel as a paced producer does, a record a frame: the costliest way to replay.
 *
 * @param server The server, in v2.
 * @returns Replays it: milliseconds from before the connection is opened until the last token is parsed.
 */
export async function prepareReplay(server: Address): Promise<() => Promise<number>> {
  const channel = crypto.randomUUID();
  const { socket, epoch } = await greetV2Producer(server, channel);
  await new Promise<void>((resolve) => {
    let sent = 0;
    const send = () => {
      for (const until = sent + AT_A_TIME; sent < until; sent++) {
        socket.send(encodeFrame({ n: 1, e: epoch, s: sent }, tokenRecord(`token ${sent}`)));
      }
    };
    socket.onmessage = ({ data }: MessageEvent<string>) => {
      if (JSON.parse(data).ack?.next !== sent) return;
      if (sent < TOKENS) send();
      else resolve();
    };
    send();
  });
  return async () => {
    const began = performance.now();
    let got = 0;
    let all = () => {};
    const ended = new Promise<void>((resolve) => all = resolve);
    const close = await openConsumer(server, channel, (record) => {
      const { content } = JSON.parse(record);
      if (content !== `token ${got}`) throw new Error(`Lost or doubled: ${record}`);
      if (++got === TOKENS) all();
    });
    await ended;
    const took = performance.now() - began;
    close();
    return took;
  };
}
