/** @module */
import { assertEquals } from "@std/assert";
import { StatusLine } from "../../../cli/status_line.ts";

/** What was drawn, one line after the other, as a person would see them. */
function screen(options: { enabled?: boolean; sharesTerminal?: boolean; columns?: number } = {}) {
  let clock = 0;
  let text = "";
  const line = new StatusLine({
    enabled: true,
    sharesTerminal: false,
    columns: 80,
    ...options,
    now: () => clock,
    write: (drawn) => text += drawn,
  });
  return {
    line,
    wait: (milliseconds: number) => clock += milliseconds,
    seen: () => text.split("\r\x1b[2K").slice(1),
    raw: () => text,
  };
}

Deno.test("status line - from queued over running to tokens a second", () => {
  const { line, wait, seen } = screen();
  line.status({ type: "status", state: "queued", position: 3, reason: "Priority" });
  wait(2000);
  line.status({ type: "status", state: "running", node: "n7", jobId: "42" });
  wait(1000);
  line.token();
  wait(500);
  for (let i = 0; i < 10; i++) line.token();
  line.end("done");
  assertEquals(seen(), [
    "connecting · 0.0 s",
    "queued, position 3, start unknown, Priority · 0.0 s",
    "running on n7, job 42 · 0.0 s",
    "first token after 3.0 s · 1 token",
    "done after 3.5 s · first token after 3.0 s · 11 tokens · 20.0 tokens/s\n",
  ]);
});

Deno.test("status line - gives way to text on the same terminal", () => {
  const { line, wait, raw } = screen({ sharesTerminal: true });
  wait(1000);
  line.token();
  const before = raw();
  line.status({ type: "status", state: "running" });
  assertEquals(raw(), before);
  assertEquals(before.endsWith("\r\x1b[2K"), true);
  line.end("done");
});

Deno.test("status line - long reasons are cut to the terminal's width", () => {
  const { line, seen } = screen({ columns: 20 });
  line.status({ type: "status", state: "queued", reason: "x".repeat(100) });
  assertEquals(seen().at(-1)?.length, 19);
  line.clear();
  assertEquals(seen().at(-1), "");
});

Deno.test("status line - nothing where stderr is no terminal", () => {
  const { line, raw } = screen({ enabled: false });
  line.status({ type: "status", state: "queued" });
  line.token();
  line.end("done");
  assertEquals(raw(), "");
});

Deno.test("status line - an expected start is a time of day, on another day with its date", () => {
  const { line, seen } = screen();
  const today = new Date();
  today.setHours(23, 5);
  line.status({ type: "status", state: "queued", eta: today.getTime() });
  line.status({ type: "status", state: "queued", eta: new Date(2021, 0, 2, 3, 4).getTime() });
  line.clear();
  assertEquals(seen().slice(1, 3), [
    "queued, start 23:05 · 0.0 s",
    "queued, start 2021-01-02 03:04 · 0.0 s",
  ]);
});
