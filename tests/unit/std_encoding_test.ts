/** The stand-in for `@std/encoding`, against `node:buffer`. @module */
import { Buffer } from "node:buffer";
import { assertEquals, assertThrows } from "@std/assert";
import {
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
} from "@std/encoding";
import { test } from "../tools/test.ts";

test("encoding - agrees with Buffer at every length", () => {
  for (const size of [0, 1, 2, 3, 63, 64, 65, 0x2000, 0x2001, 65_535]) {
    const bytes = crypto.getRandomValues(new Uint8Array(size));
    const buffer = Buffer.from(bytes);
    assertEquals(encodeBase64(bytes), buffer.toString("base64"));
    assertEquals(encodeBase64Url(bytes), buffer.toString("base64url"));
    assertEquals(encodeHex(bytes), buffer.toString("hex"));
    assertEquals(decodeBase64(buffer.toString("base64")), bytes);
    assertEquals(decodeBase64Url(buffer.toString("base64url")), bytes);
    assertEquals(decodeHex(buffer.toString("hex").toUpperCase()), bytes);
  }
});

test("encoding - takes texts and buffers", () => {
  assertEquals(encodeBase64("é"), "w6k=");
  assertEquals(encodeBase64Url(new Uint8Array([251, 255]).buffer), "-_8");
  assertEquals(encodeHex("é"), "c3a9");
  assertEquals(decodeBase64Url("-_8="), new Uint8Array([251, 255]));
});

test("encoding - refuses what isn't encoded", () => {
  assertThrows(() => decodeBase64("a$=="), DOMException);
  assertThrows(() => decodeBase64Url("a+b"), TypeError, "invalid character");
  assertThrows(() => decodeBase64Url("abcde"), TypeError, "invalid length");
  assertThrows(() => decodeHex("abc"), RangeError, "odd");
  assertThrows(() => decodeHex("zz"), TypeError, 'invalid digits "zz" at 0');
});
