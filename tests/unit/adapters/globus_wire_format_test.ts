/** What Globus Compute's own Python code makes of the same, byte for byte. @module */
import { assertEquals, assertThrows } from "@std/assert";
import { pickledText } from "../../../adapters/globus/pickled_text.ts";
import { wallTime } from "../../../adapters/globus/wall_time.ts";
import { decodeResult, functionCode, taskPayload } from "../../../adapters/globus/wire_format.ts";
import { StreamError } from "../../../stream/mod.ts";

Deno.test("globus wire - a function is what register_source_code posts", () => {
  const source = `import json
def _helper(x):
    return x + 1
def add(a, b, *, label="none"):
    return {"sum": _helper(a) + b, "label": label}
`;
  assertEquals(functionCode("add", source), `135\nst\nadd:${source}`);
});

Deno.test("globus wire - lengths are counted in code points", () => {
  assertEquals(taskPayload({ label: "é😀" }), '5\n11\n[]17\n11\n{"label":"é😀"}');
  // half a pair is escaped by JSON and counts as it is written
  assertEquals(taskPayload({ a: "\ud83d" }), '5\n11\n[]17\n11\n{"a":"\\ud83d"}');
});

Deno.test("globus wire - results are JSON", () => {
  assertEquals(decodeResult('11\n{"sum": 43, "label": "\\u00e9\\ud83d\\ude00"}'), {
    sum: 43,
    label: "é😀",
  });
  assertEquals(decodeResult(`11\n${btoa('{"sum": 43}')}`), { sum: 43 });
});

Deno.test("globus wire - a pickled text of any length is read", () => {
  // pickle.dumps of "héll" and of 300 × "x"
  assertEquals(decodeResult("00\ngASVCQAAAAAAAACMBWjDqWxslC4="), "héll");
  const long = new Uint8Array([0x80, 4, 0x95, 0x33, 1, 0, 0, 0, 0, 0, 0, 0x58, 0x2c, 1, 0, 0]);
  const bytes = [...long, ...new Array(300).fill(0x78), 0x94, 0x2e];
  assertEquals(pickledText(btoa(String.fromCharCode(...bytes))), "x".repeat(300));
});

Deno.test("globus wire - a pickled object does not pass for the first text in it", () => {
  // pickle.dumps(["a", "b"]), and half a pickle
  for (const base64 of ["gASVDQAAAAAAAABdlCiMAWGUjAFilGUu", "gASVCQAAAAAAAACMBWjD", "bm9uZQ=="]) {
    assertThrows(() => pickledText(base64), StreamError, "expected JSON or a pickled text");
  }
  assertThrows(() => decodeResult("03\nx"), StreamError, "it begins with");
  assertThrows(() => decodeResult("11\n{"), StreamError, "it is no JSON");
});

Deno.test("globus wire - time limits are read as Slurm does", () => {
  const times = {
    "5": 300,
    "0:05": 5,
    "1:00:00": 3_600,
    "1-0": 86_400,
    "1-2:30": 95_400,
    "2-00:00:01": 172_801,
  };
  for (const [time, seconds] of Object.entries(times)) assertEquals(wallTime(time), seconds);
  for (const time of ["", "0", "soon", "1:2:3:4", "-5", "1h", 0, -1, 1.5, NaN]) {
    assertThrows(() => wallTime(time), StreamError, "option time");
  }
});
