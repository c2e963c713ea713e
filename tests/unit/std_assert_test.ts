/** The stand-in for `@std/assert`. @module */
import {
  assert,
  assertAlmostEquals,
  assertArrayIncludes,
  assertEquals,
  assertExists,
  assertFalse,
  assertGreater,
  assertGreaterOrEqual,
  assertInstanceOf,
  AssertionError,
  assertIsError,
  assertLess,
  assertLessOrEqual,
  assertMatch,
  assertNotEquals,
  assertRejects,
  assertStrictEquals,
  assertStringIncludes,
  assertThrows,
  equal,
  fail,
} from "@std/assert";

function refuses(fn: () => void, text: string) {
  try {
    fn();
  } catch (error) {
    if (!(error instanceof AssertionError)) throw error;
    if (!error.message.includes(text)) {
      throw new Error(`"${error.message}" lacks "${text}"`);
    }
    return;
  }
  throw new Error(`not refused: ${text}`);
}

Deno.test("equal - what counts as equal", () => {
  const cycle = () => {
    const a: Record<string, unknown> = {};
    a.self = a;
    return a;
  };
  const same: [unknown, unknown][] = [
    [NaN, NaN],
    [0, -0],
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }],
    [new Map([[{ k: 1 }, "v"]]), new Map([[{ k: 1 }, "v"]])],
    [new Set([[1], [2]]), new Set([[2], [1]])],
    [Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    [new Date(5), new Date(5)],
    [/a/g, /a/g],
    [new URL("http://a/"), new URL("http://a")],
    [new Uint8Array([1, 2]), new Uint8Array([1, 2])],
    [cycle(), cycle()],
  ];
  for (const [a, b] of same) assert(equal(a, b), Deno.inspect([a, b]));
  const different: [unknown, unknown][] = [
    [1, "1"],
    [null, undefined],
    [{ a: undefined }, {}],
    [[1, 2], [2, 1]],
    [new Set([1]), new Set([2])],
    [new Map([["a", 1]]), new Map([["a", 2]])],
    [new Uint8Array([1]), new Uint16Array([1])],
    [new Error("a"), new Error("b")],
    [[undefined], []],
    [{ [Symbol.for("s")]: 1 }, { [Symbol.for("s")]: 2 }],
  ];
  for (const [a, b] of different) {
    assertFalse(equal(a, b), Deno.inspect([a, b]));
  }
});

Deno.test("assertions - hold", () => {
  assertEquals({ a: 1 }, { a: 1 });
  assertNotEquals({ a: 1 }, { a: 2 });
  assertStrictEquals("a", "a");
  assertExists(0);
  assertMatch("job 42", /\d+/g);
  assertStringIncludes("abc", "b");
  assertArrayIncludes([{ a: 1 }, 2], [{ a: 1 }]);
  assertInstanceOf(new TypeError("x"), Error);
  assertGreater(2, 1);
  assertGreaterOrEqual(2, 2);
  assertLess(1, 2);
  assertLessOrEqual(2, 2);
  assertAlmostEquals(0.1 + 0.2, 0.3);
  assertAlmostEquals(10, 11, 1);
});

Deno.test("assertions - refuse, and say what", () => {
  refuses(() => assert(0, "why"), "why");
  refuses(
    () => assertEquals<unknown>({ a: 1, b: 2 }, { a: 1, b: 3 }, "here"),
    "Values are not equal: here\n\n[Diff] - actual / + expected\n\n  {\n    a: 1,\n-   b: 2\n+   b: 3\n  }",
  );
  refuses(() => assertNotEquals(1, 1), "not to be: 1");
  refuses(() => assertStrictEquals({}, {}), "not the same reference");
  refuses(() => assertExists(null), "null or undefined");
  refuses(() => assertMatch("a", /b/), "/b/");
  refuses(() => assertStringIncludes("a", "b"), 'contain: "b"');
  refuses(() => assertArrayIncludes([1], [2]), "missing");
  refuses(() => assertInstanceOf({}, Map), '"Map"');
  refuses(() => assertGreater(1, 1), "Expect 1 > 1.");
  refuses(() => assertGreaterOrEqual(1, 2), "1 >= 2");
  refuses(() => assertLess(1, 1), "1 < 1");
  refuses(() => assertLessOrEqual(2, 1), "2 <= 1");
  refuses(() => assertAlmostEquals(1, 2), "close to");
  refuses(() => assertIsError("x"), "Error object");
  refuses(() => fail("reached"), "reached");
});

Deno.test("assertThrows - class, message, and what was thrown", () => {
  const thrown = assertThrows(
    () => {
      throw new RangeError("too far");
    },
    RangeError,
    "far",
  );
  assertEquals(thrown.message, "too far");
  assertEquals(
    assertThrows(() => {
      throw "text";
    }),
    "text",
  );
  refuses(() => assertThrows(() => {}), "Expected function to throw");
  refuses(
    () =>
      assertThrows(() => {
        throw new Error("x");
      }, TypeError),
    '"TypeError"',
  );
  refuses(
    () =>
      assertThrows(
        () => {
          throw new Error("x");
        },
        Error,
        "y",
      ),
    "message",
  );
});

Deno.test("assertRejects - needs a promise that rejects", async () => {
  const error = await assertRejects(
    () => Promise.reject(new TypeError("no")),
    TypeError,
    "no",
  );
  assertEquals(error.message, "no");
  for (
    const wrong of [
      () => Promise.resolve(),
      () => {
        throw new Error("sync");
      },
    ]
  ) {
    const refused = await assertRejects(() => assertRejects(wrong));
    assertInstanceOf(refused, AssertionError);
  }
  const refused = await assertRejects(() =>
    assertRejects(() => Promise.reject(new Error("x")), TypeError)
  );
  assertInstanceOf(refused, AssertionError);
});
