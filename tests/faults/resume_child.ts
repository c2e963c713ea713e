/**
 * A consumer process of its own that goes on where others left off: addresses come as one JSON text on
 * stdin, what was read goes to stdout as another.
 *
 * @module
 */
import { RelayConsumer } from "../../client/mod.ts";

/** Where one stream goes on. */
export interface LeftOff {
  /** The relay. */
  url: string;
  /** A consume token. */
  token: string;
  /** Where it was left. */
  resumeToken: string;
  /** Its key, or nothing. */
  key: string;
}

if (import.meta.main) {
  const streams: LeftOff[] = await new Response(Deno.stdin.readable).json();
  const read = streams.map(async (address) => {
    const stream = new RelayConsumer(address).stream();
    const tokens: number[] = [];
    for await (const event of stream.events()) {
      if (event.type === "token") tokens.push(Number(event.content));
    }
    const { reason } = await stream.result;
    return { tokens, reason };
  });
  console.log(JSON.stringify(await Promise.all(read)));
}
