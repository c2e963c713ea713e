/** A channel on a relay of its own, and a proxy before it that a test may cut. @module */
import { ControlClient, type CreatedChannel, RelayConsumer } from "../../../../client/mod.ts";
import { serveRelay } from "../../../../server/mod.ts";
import type { StreamEvent } from "../../../../stream/mod.ts";
import { type TcpProxy, tcpProxy } from "../../../tools/tcp_proxy.ts";

/** What a producer is tested against. */
export interface OpenChannel {
  /** Its id and tokens. */
  channel: CreatedChannel;
  /** With the root secret. */
  control: ControlClient;
  /** Stands between producer and relay. */
  proxy: TcpProxy;
  /** The relay's URL, through the proxy. */
  url: string;
  /** The channel's coordinates for a producer, through the proxy. */
  env: Record<string, string>;
  /** All text so far; the last attempt's. */
  received: () => string;
  /** Every event, once the stream has ended. */
  events: Promise<StreamEvent[]>;
  /** Stops it all. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Opens one, with a key encrypted end to end. */
export async function openChannel(key = ""): Promise<OpenChannel> {
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret, postTimeout: 30 });
  const control = new ControlClient({ url: relay.url, token: secret });
  const channel = await control.createChannel({ keyed: key !== "" });
  const proxy = await tcpProxy({ to: relay.port });
  const url = `ws://127.0.0.1:${proxy.port}`;
  const consumer = new RelayConsumer({ url: relay.url, channel: channel.id, token: secret, key });
  const stream = consumer.stream();
  let text = "";
  const events = (async () => {
    const seen: StreamEvent[] = [];
    for await (const event of stream.events()) {
      if (event.type === "token") text += event.content;
      seen.push(event);
    }
    return seen;
  })();
  events.catch(() => {}); // of a test that ends earlier
  await consumer.opened;
  return {
    channel,
    control,
    proxy,
    url,
    env: {
      STREAMRELAY_URL: url,
      STREAMRELAY_CHANNEL: channel.id,
      STREAMRELAY_TOKEN: channel.tokens.produce,
      STREAMRELAY_HEARTBEAT: "0.25",
      STREAMRELAY_HINT: "0",
      STREAMRELAY_KEY: key,
    },
    received: () => text,
    events,
    async [Symbol.asyncDispose]() {
      consumer.close();
      await proxy.close();
      await relay.close();
    },
  };
}
