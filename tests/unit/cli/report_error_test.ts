/** @module */
import { assertEquals } from "@std/assert";
import { reportError } from "../../../cli/report_error.ts";
import { UsageError } from "../../../cli/usage_error.ts";
import { CODES, type ErrorCode, StreamError } from "../../../stream/mod.ts";

/** The exit code, with what is said kept off the test's own output. */
function exitOf(error: unknown): { exit: number; said: string } {
  const write = Deno.stderr.writeSync;
  let said = "";
  Deno.stderr.writeSync = (bytes) => {
    said += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  try {
    return { exit: reportError(error), said };
  } finally {
    Deno.stderr.writeSync = write;
  }
}

Deno.test("exit codes - each code of the table has its own", () => {
  for (const code of Object.keys(CODES) as ErrorCode[]) {
    const { exit, said } = exitOf(new StreamError(code, "It failed"));
    assertEquals([exit, said], [CODES[code].exit, `streamrelay: It failed [${code}]\n`]);
  }
});

Deno.test("exit codes - wrong usage is 2, a reader that has gone 141, a defect 1", () => {
  assertEquals(exitOf(new UsageError("What?")), { exit: 2, said: "streamrelay: What?\n" });
  assertEquals(exitOf(new Deno.errors.BrokenPipe()), { exit: 141, said: "" });
  assertEquals(exitOf(new TypeError("x is undefined")).exit, 1);
});

Deno.test("exit codes - a failing job's stderr is shown, one sentence stays one line", () => {
  const error = new StreamError("job_failed", "It broke\n down", {
    details: { stderr: "line 1\nline 2\n" },
  });
  assertEquals(
    exitOf(error).said,
    "streamrelay: It broke down [job_failed]\nstreamrelay: the end of the job's stderr:\n  | line 1\n  | line 2\n",
  );
});
