/** Text that a producer sends. @module */
import type { RelayProducer } from "../../../client/mod.ts";

/** So many. */
export function words(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `w${i} `);
}

/** Sends them, and ends the stream. */
export function send(producer: RelayProducer, texts: string[]): Promise<void> {
  const sent = sendAll(producer, texts);
  // it is waited for only after the stream was read, which may fail first
  sent.catch(() => {});
  return sent;
}

async function sendAll(
  producer: RelayProducer,
  texts: string[],
): Promise<void> {
  for (const text of texts) await producer.token(text);
  await producer.done();
}
