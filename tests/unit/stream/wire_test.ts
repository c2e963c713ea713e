import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import {
  codeOfClose,
  CODES,
  decodeControl,
  decodeProducerFrame,
  decodeReaderFrame,
  decodeResumeToken,
  decodeV1Auth,
  encodeFrame,
  encodeResumeToken,
  isChannelId,
  isErrorCode,
  isFrame,
  parseEvent,
  randomId,
  readV1Message,
  renderV1End,
  StreamError,
} from "../../../stream/mod.ts";
import { test } from "../../tools/test.ts";

test("frame - what is encoded decodes to the same", () => {
  const text = '{"type":"token","content":"a\\nb"}\n{"type":"token","content":"\u2028"}';
  const message = encodeFrame({ n: 2, e: 3, s: 40, close: "done" }, text);
  assert(isFrame(message));
  assertEquals(decodeProducerFrame(message), {
    header: { n: 2, e: 3, s: 40, close: "done" },
    text,
  });
});

for (
  const [what, message] of [
    ["no record line", '{"n":1,"e":1,"s":0}'],
    ["fewer lines than n", '{"n":3,"e":1,"s":0}\n{}\n{}'],
    ["more lines than n", '{"n":1,"e":1,"s":0}\n{}\n{}'],
    ["n of 0", '{"n":0,"e":1,"s":0}\n'],
    ["a header that is not JSON", '{"n":1,\n{}'],
    ["a negative seq", '{"n":1,"e":1,"s":-1}\n{}'],
    ["epoch 0", '{"n":1,"e":0,"s":0}\n{}'],
    ["a fraction", '{"n":1,"e":1,"s":0.5}\n{}'],
    ["an unknown close", '{"n":1,"e":1,"s":0,"close":"maybe"}\n{}'],
  ]
) {
  test(`frame - ${what} is refused in one sentence`, () => {
    const error = assertThrows(() => decodeProducerFrame(message), StreamError);
    assertEquals(error.code, "bad_request");
    assertStringIncludes(error.message, "Cannot read frame");
  });
}

test("frame - a reader's without offset is refused", () => {
  assertThrows(() => decodeReaderFrame('{"n":1,"by":"p"}\n{}'), StreamError);
});

test("control - only JSON objects are controls", () => {
  assertEquals(decodeControl('{"ack":{"next":1,"window":2}}').ack, { next: 1, window: 2 });
  for (const bad of ["", "null", "[]", "1", "nonsense"]) {
    assertEquals(assertThrows(() => decodeControl(bad), StreamError).code, "bad_request");
  }
});

test("event - every known one comes back as it is", () => {
  for (
    const line of [
      '{"type":"token","content":"x"}',
      '{"type":"data","payload":[1]}',
      '{"type":"status","state":"queued","position":3}',
      '{"type":"gap","from":1,"to":5}',
      '{"type":"done","reason":"length"}',
      '{"type":"error","code":"oom","message":"m"}',
    ]
  ) assertEquals(JSON.stringify(parseEvent(line)), line);
});

test("event - what a v1 producer leaves out is filled in", () => {
  assertEquals(parseEvent('{"type": "done", "usage": {}}'), {
    type: "done",
    usage: {},
    reason: "completed",
  });
  assertEquals(parseEvent('{"type": "error", "message": "boo"}'), {
    type: "error",
    message: "boo",
    code: "job_failed",
  });
  assertEquals(parseEvent('{"type":"error","code":"made up","message":7}'), {
    type: "error",
    code: "job_failed",
    message: "No message was given",
  });
});

test("event - what is none of them becomes data", () => {
  for (const line of ["17", '"text"', '{"type":"token"}', '{"type":"other"}', "[]", "null"]) {
    assertEquals(parseEvent(line), { type: "data", payload: JSON.parse(line) });
  }
  assertEquals(parseEvent("{broken"), { type: "data", payload: "{broken" });
});

test("v1 - messages pass byte for byte, ends are noticed", () => {
  const odd = '{ "type":"token" ,"content":"\\u0041 ü" }';
  assertEquals(readV1Message(odd).line, odd);
  assertEquals(readV1Message('{"type":"token","content":"\\"done\\""}').ends, undefined);
  assertEquals(readV1Message('{"type": "error", "message": ""}').ends, "error");
  assertEquals(readV1Message('{"type":"\\u0064one"}').ends, "done");
  assertEquals(readV1Message("not JSON"), { line: "not JSON" });
});

test("v1 - a line break can only be white space of a JSON text", () => {
  assertEquals(readV1Message('{\r\n"type":"token"}').line, '{  "type":"token"}');
  assertThrows(() => readV1Message("a\nb"), StreamError);
  assertThrows(() => readV1Message('{"content":"a\nb"}'), StreamError);
});

test("v1 - auth is read, anything else is no auth", () => {
  assertEquals(decodeV1Auth('{"type": "auth", "secret": "s"}'), "s");
  for (const other of ["{}", "x", '{"type":"auth"}', '{"type":"auth","secret":1}', "null"]) {
    assertEquals(decodeV1Auth(other), undefined);
  }
});

test("v1 - ends that stand in no record are error and then done", () => {
  const error = renderV1End({ kind: "error", by: "supervisor", code: "oom", message: "m", ts: 0 });
  assertEquals(error.map((message) => JSON.parse(message).type), ["error", "done"]);
  assertEquals(renderV1End({ kind: "done", by: "producer", offset: 3, ts: 0 }), []);
  assertEquals(renderV1End({ kind: "error", by: "producer", offset: 3, ts: 0 }).length, 1);
  assertEquals(renderV1End({ kind: "sealed", by: "producer", ts: 0 }), []);
});

test("codes - close codes are unique, and their range says whether to come back", () => {
  const closes = new Set<number>();
  for (const [code, row] of Object.entries(CODES)) {
    assert(isErrorCode(code));
    if (!("close" in row)) continue;
    assert(!closes.has(row.close), `${row.close} twice`);
    closes.add(row.close);
    assertEquals(row.close < 4500, row.retry, code);
    assertEquals(codeOfClose(row.close), code);
  }
});

test("resume token - comes back whole, and nonsense is refused", () => {
  const point = { channel: "c-1", incarnation: "i", offset: 12 };
  assertEquals(decodeResumeToken(encodeResumeToken(point)), point);
  for (const bad of ["", "x", encodeResumeToken({ ...point, offset: -1 })]) {
    assertEquals(assertThrows(() => decodeResumeToken(bad), StreamError).code, "bad_request");
  }
});

test("channel id - random ones are valid and differ", () => {
  assert(isChannelId(randomId()));
  assert(randomId() !== randomId());
  for (const bad of ["", "a/b", "ü", "a".repeat(129), "a b", "a\n"]) assert(!isChannelId(bad));
});

test("StreamError - keeps code, details and cause through JSON", () => {
  const cause = new Error("underneath");
  const error = new StreamError("limit", "Full", { details: { maxBytes: 1 }, cause });
  const again = StreamError.parse(JSON.parse(JSON.stringify(error)));
  assertEquals([again.code, again.message, again.details], ["limit", "Full", { maxBytes: 1 }]);
  assertEquals(error.cause, cause);
  assertEquals(StreamError.from(error), error);
  assertEquals(StreamError.from(cause, "upstream", "Asking: ").message, "Asking: underneath");
  assertEquals(StreamError.parse(null).code, "internal");
});
