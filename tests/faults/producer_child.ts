/**
 * A producer in a process of its own, for tests that stop or kill it. What to do comes as a JSON text on
 * stdin; `begun` on stdout says that it writes, `stored` that what it wrote is, and its last line says
 * how it ended.
 *
 * @module
 */
import { RelayProducer } from "../../client/mod.ts";
import { StreamError } from "../../stream/mod.ts";

/** What it is told. */
export interface ProducerOrders {
  /** The relay. */
  url: string;
  /** The channel. */
  channel: string;
  /** A produce token. */
  token: string;
  /** Its key, or nothing. */
  key: string;
  /** What it truly goes on after. */
  continues?: { epoch: number; count: number };
  /** What it writes first. */
  words: string[];
  /** Milliseconds from one of these words to the next; at once without. */
  pace?: number;
  /** What it does then: ends the stream, or writes a word every so many milliseconds, for ever. */
  then: "done" | { word: string; every: number };
}

async function obey({ words, pace, then, ...address }: ProducerOrders): Promise<void> {
  const producer = new RelayProducer({ ...address, retry: { base: 5, cap: 50 } });
  await producer.connect();
  console.log("begun");
  for (const word of words) {
    await producer.token(word);
    if (pace !== undefined) await new Promise((resolve) => setTimeout(resolve, pace));
  }
  while (producer.bytesPending > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  console.log("stored");
  if (then === "done") return await producer.done();
  for (;;) {
    await producer.token(then.word);
    await new Promise((resolve) => setTimeout(resolve, then.every));
  }
}

if (import.meta.main) {
  try {
    await obey(await new Response(Deno.stdin.readable).json());
    console.log("done");
  } catch (error) {
    console.log(StreamError.from(error).code);
  }
  Deno.exit(0);
}
