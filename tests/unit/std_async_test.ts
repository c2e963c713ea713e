/** The stand-in for `@std/async`. @module */
import { assertEquals, assertRejects, assertStrictEquals } from "@std/assert";
import { abortable, deadline, delay } from "@std/async";
import { test } from "../tools/test.ts";

test("delay - resolves, and ends early with the signal's reason", async () => {
  await delay(1);
  const reason = new Error("enough");
  const stop = new AbortController();
  const long = delay(2 ** 40, { signal: stop.signal });
  stop.abort(reason);
  assertStrictEquals(await assertRejects(() => long), reason);
  assertStrictEquals(
    await assertRejects(() => delay(1, { signal: stop.signal })),
    reason,
  );
});

test("deadline - passes values and errors on", async () => {
  assertEquals(await deadline(Promise.resolve(7), 60_000), 7);
  assertEquals(await deadline(Promise.resolve(7), Infinity), 7);
  await assertRejects(
    () => deadline(Promise.reject(new RangeError("no")), 60_000),
    RangeError,
    "no",
  );
});

test("deadline - rejects with TimeoutError, or the signal's reason", async () => {
  const never = new Promise<void>(() => {});
  const late = await assertRejects(() => deadline(never, 1), DOMException);
  assertEquals(late.name, "TimeoutError");
  await assertRejects(
    () =>
      deadline(never, 60_000, {
        signal: AbortSignal.abort(new Error("mine")),
      }),
    Error,
    "mine",
  );
});

test("abortable - an aborted wait leaves no unhandled rejection", async () => {
  const failing = Promise.reject(new Error("later"));
  await assertRejects(
    () => abortable(failing, AbortSignal.abort(new Error("first"))),
    Error,
    "first",
  );
});
