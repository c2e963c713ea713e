/** @module */
import { RelayConsumer, RelayProducer } from "../client/mod.ts";
import { StreamError } from "../stream/mod.ts";
import { openCheckChannel } from "./check_channel.ts";

/** One way to send text through a relay. */
export interface Way {
  /** The relay. */
  url: string;
  /** A credential. */
  token: string;
  /** The key, to encrypt. */
  key?: string;
  /** The protocol. */
  protocol: "v1" | "v2";
  /** Milliseconds it may take. */
  timeout: number;
}

const WORDS = Array.from({ length: 50 }, (_, at) => `word ${at}, größer als null… `);

/**
 * Sends text through a relay and compares what comes out.
 *
 * @param way How.
 * @returns What worked, in words.
 * @throws {StreamError} What did not.
 */
export async function checkWay(way: Way): Promise<string> {
  const { url, key = "", protocol, timeout } = way;
  const channel = await openCheckChannel(url, way.token, timeout);
  const common = {
    url,
    channel: channel.id,
    key,
    protocol,
    connectTimeout: timeout,
    retry: { giveUpAfter: 0 },
    signal: AbortSignal.timeout(timeout),
  };
  const consumer = new RelayConsumer({ ...common, token: channel.consume });
  const producer = new RelayProducer({ ...common, token: channel.produce });
  try {
    const text = consumer.stream().text();
    // told by the awaited one below
    text.catch(() => {});
    await consumer.opened;
    await producer.connect();
    const start = performance.now();
    for (const word of WORDS) await producer.token(word);
    await producer.done();
    const got = await text;
    const passed = performance.now() - start;
    if (got !== WORDS.join("")) {
      throw new StreamError(
        "tampered",
        `Other text came out than went in: ${got.length} characters, expected ${
          WORDS.join("").length
        }`,
      );
    }
    return `${WORDS.length} tokens there and back in ${passed.toFixed(0)} ms`;
  } finally {
    consumer.close();
    await producer.close().catch(() => {});
    await channel.close();
  }
}
