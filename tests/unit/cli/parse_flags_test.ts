/** @module */
import { assertEquals, assertThrows } from "@std/assert";
import type { Command } from "../../../cli/command.ts";
import type { Given } from "../../../cli/given.ts";
import { parseFlags } from "../../../cli/parse_flags.ts";
import { UsageError } from "../../../cli/usage_error.ts";

const VARIABLE = "STREAMRELAY_TEST_FLAG_PORT";

const command: Command = {
  name: "try",
  summary: "",
  synopsis: "FILE",
  flags: [
    { name: "port", value: "N", help: "", env: [VARIABLE] },
    { name: "wait", value: "TIME", help: "" },
    { name: "size", value: "SIZE", help: "" },
    { name: "role", value: "ROLE", help: "", many: true },
    { name: "color", value: "WORD", help: "" },
    { name: "detach", help: "" },
  ],
  positionals: 1,
  trailing: true,
  examples: [],
  run: () => Promise.resolve(0),
};

function given(...args: string[]): Given {
  const result = parseFlags(command, args);
  if (result === "help") throw new Error("help was asked for");
  return result;
}

function refusal(act: () => unknown): string {
  return assertThrows(act, UsageError).message;
}

Deno.test("flags - values, several values, switches, words and what follows --", () => {
  const got = given("--port=7", "a.sh", "--role", "x", "--role", "y", "--detach", "--", "-n", "1");
  assertEquals(got.number("port"), 7);
  assertEquals(got.list("role"), ["x", "y"]);
  assertEquals(got.on("detach"), true);
  assertEquals(got.positionals, ["a.sh"]);
  assertEquals(got.trailing, ["-n", "1"]);
  assertEquals(given().on("detach"), false);
  assertEquals(given().text("port"), undefined);
});

Deno.test("flags - a word that looks like a number stays what was typed", () => {
  assertEquals(given("007").positionals, ["007"]);
  assertEquals(given("--color", "1e3").text("color"), "1e3");
});

Deno.test("flags - an unknown one is refused, with the one that was meant", () => {
  assertEquals(
    refusal(() => given("--ports", "7")),
    "Unknown flag --ports of try (did you mean --port?): see try --help",
  );
  assertEquals(
    refusal(() => given("--nothing=secret")),
    "Unknown flag --nothing of try: see try --help",
  );
  assertEquals(refusal(() => given("-x")), "Unknown flag -x of try: see try --help");
});

Deno.test("flags - a missing value, a word too many", () => {
  assertEquals(
    refusal(() => given("--port")),
    "Flag --port has no value: expected --port N",
  );
  assertEquals(
    refusal(() => given("--port", "--detach")),
    "Flag --port has no value: expected --port N",
  );
  assertEquals(
    refusal(() => given("a.sh", "b.sh")),
    'Unexpected argument "b.sh": expected try FILE',
  );
});

Deno.test("flags - what can't be parsed names the flag or the variable", () => {
  assertEquals(
    refusal(() => given("--port", "x").number("port")),
    'Cannot parse --port "x": expected a whole number',
  );
  assertEquals(
    refusal(() => given("--wait", "soon").seconds("wait")),
    'Cannot parse --wait "soon": expected seconds, or a time such as "90s", "10m", "24h", "7d"',
  );
  assertEquals(
    refusal(() => given("--size", "big").bytes("size")),
    'Cannot parse --size "big": expected bytes, or a size such as "512K", "64M", "1G"',
  );
  assertEquals(
    refusal(() => given("--color", "blue").choice("color", ["red", "green"])),
    'Cannot parse --color "blue": expected red or green',
  );
  Deno.env.set(VARIABLE, "many");
  try {
    assertEquals(
      refusal(() => given().number("port")),
      `Cannot parse ${VARIABLE} "many": expected a whole number`,
    );
    assertEquals(given("--port", "1").number("port"), 1);
  } finally {
    Deno.env.delete(VARIABLE);
  }
});

Deno.test("flags - times and sizes as people write them", () => {
  const seconds = (text: string) => given("--wait", text).seconds("wait");
  assertEquals(["90", "90s", "10m", "1.5h", "7d"].map(seconds), [90, 90, 600, 5400, 604_800]);
  const bytes = (text: string) => given("--size", text).bytes("size");
  assertEquals(["512", "1k", "64M", "1GiB", "2MB"].map(bytes), [
    512,
    1024,
    64 * 1024 ** 2,
    1024 ** 3,
    2 * 1024 ** 2,
  ]);
});

Deno.test("flags - --help wins over whatever else stands there", () => {
  assertEquals(parseFlags(command, ["--port", "1", "-h"]), "help");
  assertEquals(parseFlags(command, ["--help"]), "help");
});
