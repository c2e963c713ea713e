import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromEnvironment, parseRelayUrls, toHttpUrl } from "../../../client/mod.ts";
import { BackOff } from "../../../client/back_off.ts";
import { judgeClose } from "../../../client/close_verdict.ts";
import { Outbox } from "../../../client/outbox.ts";
import { CODES, StreamError } from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

test("relay URL - http and ws forms are one", () => {
  assertEquals(parseRelayUrls(" HTTPS://Relay.example/a/ ,ws://[::1]:8765"), [
    "wss://relay.example/a",
    "ws://[::1]:8765",
  ]);
  assertEquals(parseRelayUrls("http://h").map(toHttpUrl), ["http://h"]);
});

test("relay URL - a bad one is told in one sentence without its secrets", () => {
  const cases: [string, string][] = [
    ["", 'Cannot use relay URL ""'],
    ["relay.example", "(did you mean ws://relay.example?)"],
    ["localhost:8765", "(did you mean ws://localhost:8765?)"],
    ["ftp://x", 'Cannot use relay URL "ftp://x"'],
    ["ws://", 'Cannot use relay URL "ws://"'],
    ["ws://user:hidden@h/p", 'Cannot use relay URL "ws://h/p"'],
    ["ws://h/p?secret=hidden", 'Cannot use relay URL "ws://h/p"'],
    ["ws://user:hidden@", 'Cannot use relay URL "ws://"'],
  ];
  for (const [url, says] of cases) {
    const error = assertThrows(() => parseRelayUrls(url), StreamError, says);
    assertEquals(error.code, "bad_request");
    assert(!error.message.includes("hidden"), error.message);
  }
});

test("environment - our names win over the Python package's", () => {
  const env = {
    STREAMRELAY_URL: "ws://ours",
    RELAY_URL: "ws://theirs",
    STREAMRELAY_CHANNEL: "",
    CHANNEL_ID: "c",
    RELAY_SECRET: "s",
    RELAY_ENCRYPTION_KEY: "k",
  };
  assertEquals(fromEnvironment(env), {
    url: "ws://ours",
    channel: "c",
    token: "s",
    key: "k",
    encryption: "v1",
  });
  assertEquals(fromEnvironment({ STREAMRELAY_KEY: "k" }), { key: "k" });
  assertEquals(fromEnvironment({}), {});
});

test("reconnect - jitter stays between nothing and a doubling ceiling", () => {
  const low = new BackOff({ base: 100, cap: 1000, random: () => 0 });
  assertEquals([low.next(), low.next()], [0, 0]);
  const high = new BackOff({ base: 100, cap: 1000, random: () => 1 });
  const waits = Array.from({ length: 6 }, () => high.next());
  assertEquals(waits, [100, 200, 400, 800, 1000, 1000]);
  high.reset();
  assertEquals(high.next(), 100);
});

test("close - the table's codes come back or stop by their range", () => {
  for (const [code, row] of Object.entries(CODES)) {
    if (!("close" in row)) continue;
    const verdict = judgeClose({ code: row.close, reason: "" }, "ws://a");
    assertEquals(verdict.error.code, code);
    assertEquals(verdict.retry, row.close < 4500);
  }
});

test("close - breaks come back, v1's refusals do not", () => {
  for (const code of [0, 1000, 1001, 1006, 1011, 1012, 1013]) {
    assert(judgeClose({ code, reason: "" }, "ws://a").retry, `${code}`);
  }
  for (const code of [1003, 1007, 1008, 1009, 4000, 4001, 4003]) {
    assert(!judgeClose({ code, reason: "" }, "ws://a").retry, `${code}`);
  }
});

test("close - what the relay said before stands", () => {
  const noted = new StreamError("unauthorized", "The token has expired");
  for (const code of [4503, 4003, 1006]) {
    const verdict = judgeClose({ code, reason: "" }, "ws://a", noted);
    assertEquals(verdict, { retry: false, error: noted });
  }
  assert(judgeClose({ code: 1012, reason: "" }, "ws://a", noted).retry);
});

test("outbox - takes by count and by size, one line whatever its size", () => {
  const outbox = new Outbox();
  for (const line of ["aa", "bb", "cccccc", "d"]) outbox.push(line);
  assertEquals([outbox.length, outbox.units], [4, 11]);
  assertEquals(outbox.take(1, 100), ["aa"]);
  assertEquals(outbox.take(9, 4), ["bb"]);
  assertEquals(outbox.take(9, 4), ["cccccc"]);
  assertEquals(outbox.take(9, 4), ["d"]);
  assertEquals([outbox.length, outbox.units, outbox.take(9, 4)], [0, 0, []]);
});

test("outbox - keeps the order of many", () => {
  const outbox = new Outbox();
  const lines = Array.from({ length: 10_000 }, (_, i) => `${i}`);
  for (const line of lines) outbox.push(line);
  const taken: string[] = [];
  while (outbox.length > 0) taken.push(...outbox.take(512, 1500));
  assertEquals(taken, lines);
});
