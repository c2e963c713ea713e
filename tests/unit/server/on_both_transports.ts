/** One test body for both transports: they must behave the same. @module */
import type { RelayOptions } from "../../../server/mod.ts";
import { TestRelay } from "./test_relay.ts";

/**
 * Registers a test for each transport.
 *
 * @param name What is tested, as `face - behaviour`.
 * @param body The test; the relay and its clients are closed after it.
 * @param options What the relay is to be told.
 */
export function onBothTransports(
  name: string,
  body: (relay: TestRelay) => Promise<void>,
  options: RelayOptions = {},
): void {
  for (const transport of ["deno", "ws"] as const) {
    Deno.test(`${name} [${transport}]`, async () => {
      const relay = await TestRelay.start({ ...options, transport });
      try {
        await body(relay);
      } finally {
        await relay.stop();
      }
    });
  }
}
