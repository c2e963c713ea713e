/** What the runner reads from the runtimes' own runners. @module */
import { assert, assertEquals } from "@std/assert";
import { failureText } from "../tools/failure_text.ts";
import { denoTotals, nodeTotals, sum } from "../tools/totals.ts";

Deno.test("totals - of deno test", () => {
  const line = "\x1b[0m\x1b[31mFAILED\x1b[0m | 1 passed (1 step) | " +
    "5 failed (1 step) | 2 ignored \x1b[0m(246ms)\n";
  assertEquals(denoTotals(`ok | 9 passed | 0 failed\n${line}`, 1), {
    passed: 1,
    failed: 5,
    skipped: 2,
  });
});

Deno.test("totals - of node --test", () => {
  const words = { pass: 7, fail: 1, cancelled: 1, skipped: 2, todo: 1 };
  for (const sign of ["ℹ", "#"]) {
    const output = Object.entries(words).map(([word, n]) => `${sign} ${word} ${n}\n`).join("");
    assertEquals(nodeTotals(output, 1), { passed: 7, failed: 2, skipped: 3 });
  }
});

Deno.test("totals - a run that fails without a word is a failure", () => {
  const failure = { passed: 0, failed: 1, skipped: 0 };
  assertEquals(denoTotals("error: Type checking failed.", 1), failure);
  assertEquals(nodeTotals("", 1), failure);
  assertEquals(sum([failure, failure]), { ...failure, failed: 2 });
});

Deno.test("failure text - of the tests that failed, without the others' lines", () => {
  const output = "ok - passes ... ok (1ms)\n\n\x1b[0m\x1b[41m ERRORS \x1b[0m\n\n" +
    "one - fails \x1b[0m=> a_test.ts:2:6\nerror: Error: told so\n\n" +
    " FAILURES \n\none - fails => a_test.ts:2:6\n\nFAILED | 1 passed | 1 failed (1ms)\n";
  assertEquals(
    failureText(output),
    "ERRORS \n\none - fails => a_test.ts:2:6\nerror: Error: told so\n\n" +
      " FAILURES \n\none - fails => a_test.ts:2:6\n\nFAILED | 1 passed | 1 failed (1ms)",
  );
});

Deno.test("failure text - is bounded, and ends with the names", () => {
  const text = failureText(`\n ERRORS \n${"x".repeat(100_000)}\n FAILURES \none - fails\n`);
  assert(text.length < 10_000 && text.endsWith("FAILURES \none - fails"), text);
});

Deno.test("failure text - a run that broke off has its last words", () => {
  assertEquals(failureText("one ...\nerror: gone\n"), "one ...\nerror: gone");
});
