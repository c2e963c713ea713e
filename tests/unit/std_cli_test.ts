/** The stand-in for `@std/cli`. @module */
import { assertEquals } from "@std/assert";
import { parseArgs } from "@std/cli/parse-args";

Deno.test("parse args - long flags", () => {
  assertEquals(
    parseArgs(["a", "--x=1", "--y", "two", "--z", "--no-w", "b", "7"]),
    { _: ["a", 7], x: 1, y: "two", z: true, "no-w": "b" },
  );
  assertEquals(parseArgs(["--x=a=b"]).x, "a=b");
  assertEquals(parseArgs(["--x="], { string: "x" }).x, "");
  assertEquals(parseArgs(["-"])._, ["-"]);
});

Deno.test("parse args - short flags", () => {
  assertEquals(parseArgs(["-abc"]), { _: [], a: true, b: true, c: true });
  assertEquals(parseArgs(["-n5", "-k=v", "-o", "file", "-t", "-u"]), {
    _: [],
    n: 5,
    k: "v",
    o: "file",
    t: true,
    u: true,
  });
  assertEquals(parseArgs(["-v", "x"], { boolean: ["v"] }), {
    _: ["x"],
    v: true,
  });
});

Deno.test("parse args - types of values", () => {
  const args = parseArgs(["--port", "080", "--n", "0x10", "--id=1e3"], {
    string: ["port", "token"],
  });
  const port: string | undefined = args.port;
  const token: string | undefined = args.token;
  assertEquals([port, token, args.n, args.id], ["080", undefined, 16, 1000]);
  assertEquals("token" in args, false);
  assertEquals(parseArgs(["12"], { string: ["_"] })._, ["12"]);
  assertEquals(parseArgs(["--s"], { string: "s" }).s, "");
  assertEquals(parseArgs(["--s", "--t"], { string: ["s", "t"] }), {
    _: [],
    s: "",
    t: "",
  });
});

Deno.test("parse args - booleans are false unless given", () => {
  const options = { boolean: ["verbose", "json"], default: { json: true } };
  const none = parseArgs([], options);
  assertEquals([none.verbose, none.json], [false, true]);
  const some = parseArgs(["--verbose", "x", "--json", "false"], options);
  assertEquals(some, { _: ["x"], verbose: true, json: false });
  assertEquals(parseArgs(["--json=false"], options).json, false);
  assertEquals(parseArgs(["--a", "x"], { boolean: true }), {
    _: ["x"],
    a: true,
  });
});

Deno.test("parse args - defaults, aliases, lists, negation", () => {
  const args = parseArgs(["-H", "h", "--env", "A", "-e", "B", "--no-config"], {
    string: ["host", "env", "config", "store"],
    alias: { host: "H", env: ["e", "environment"] },
    collect: ["env"],
    negatable: ["config"],
    default: { store: "memory", config: "file" },
  });
  const host: string | undefined = args.H;
  const env: string[] = args.environment;
  const store: string = args.store;
  const config: string | false = args.config;
  assertEquals([host, args.host, env, store, config], [
    "h",
    "h",
    ["A", "B"],
    "memory",
    false,
  ]);
  assertEquals(args.e, ["A", "B"]);
  assertEquals(parseArgs([], { string: ["x"], collect: ["x"] }).x, []);
  assertEquals(parseArgs(["--x", "1", "--x", "2"], { string: ["x"] }).x, "2");
});

Deno.test("parse args - double dash and stopEarly", () => {
  assertEquals(parseArgs(["a", "--", "--b"]), { _: ["a", "--b"] });
  const split = parseArgs(["a", "--", "--b", "1"], { "--": true });
  const after: string[] = split["--"];
  assertEquals([split._, after], [["a"], ["--b", "1"]]);
  assertEquals(
    parseArgs(["--v", "run", "--x", "5"], { boolean: "v", stopEarly: true }),
    { _: ["run", "--x", "5"], v: true },
  );
});

Deno.test("parse args - unknown flags", () => {
  const seen: unknown[] = [];
  const args = parseArgs(["--host", "h", "--wat=1", "-q", "pos"], {
    string: ["host"],
    unknown: (arg, key, value) => {
      seen.push([arg, key, value]);
      return key === undefined;
    },
  });
  assertEquals(seen, [["--wat=1", "wat", "1"], ["-q", "q", "pos"]]);
  assertEquals(args, { _: [], host: "h" });
  assertEquals(parseArgs(["pos"], { unknown: () => false }), { _: [] });
});

Deno.test("parse args - a flag named like a property of every object", () => {
  const args = parseArgs(["--constructor", "x", "--__proto__=y"]);
  assertEquals(Object.entries(args).slice(1), [
    ["constructor", "x"],
    ["__proto__", "y"],
  ]);
  assertEquals(Object.getPrototypeOf({}), Object.prototype);
});
