/** A producer that is connected to a relay under the test's control. @module */
import { RelayProducer } from "../../../client/mod.ts";
import { type FakeConnection, FakeRelay, token } from "./fake_relay.ts";

/** Connects one, and gives its connection as the relay sees it. */
export async function connected(
  options: Record<string, unknown> = {},
  hello: Record<string, unknown> = {},
): Promise<[RelayProducer, FakeConnection, FakeRelay]> {
  const relay = new FakeRelay();
  const producer = new RelayProducer({ ...relay.options, ...options });
  const ready = producer.connect();
  const connection = await relay.next();
  await connection.hello({ epoch: 1, window: 1 << 20, ...hello });
  await ready;
  return [producer, connection, relay];
}

/** The record of a text. */
export function line(content: string): string {
  return JSON.stringify(token(content));
}

/** Acknowledges. */
export function ack(connection: FakeConnection, next: number, window = 1 << 20): void {
  connection.send({ ack: { next, window } });
}
