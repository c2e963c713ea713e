/**
 * Brings a stream to stdout.
 *
 * @module
 */
import { StreamError, type TokenStream } from "../stream/mod.ts";
import { say } from "./say.ts";
import { StatusLine } from "./status_line.ts";
import { TextOut } from "./text_out.ts";

/** How a stream is printed. */
export interface DeliverOptions {
  /** Print every event as a line of JSON, in place of the text. */
  events?: boolean;
}

/**
 * Prints a stream as it comes, to its end. On a terminal a line on stderr tells how it is doing.
 *
 * @param stream The stream.
 * @param options Text or events.
 * @returns 0, the exit code of a stream that is complete.
 * @throws {StreamError} For every failing end; `restarted` when the job started over after text was
 * printed, which can't be taken back.
 */
export async function deliver(
  stream: TokenStream,
  options: DeliverOptions = {},
): Promise<number> {
  const out = new TextOut();
  const line = new StatusLine();
  const { events = false } = options;
  let last = "";
  try {
    for await (const event of stream.events()) {
      if (events) await out.write(JSON.stringify(event) + "\n");
      switch (event.type) {
        case "token":
          line.token();
          if (!events && event.content !== "") {
            await out.write(last = event.content);
          }
          break;
        case "status":
          line.status(event);
          if (event.state === "restarted" && last !== "") {
            throw new StreamError(
              "restarted",
              "The job started over after text had been printed; logs gives the last attempt's",
            );
          }
          break;
        case "gap":
          say(`Warning: the relay has dropped records ${event.from} to ${event.to}`);
          break;
        case "done":
          await finish(out, last);
          line.end(event.reason === "length" ? "cut at its length limit" : "done");
          return 0;
        case "error": {
          const { code, message, details } = event;
          throw new StreamError(code, message, details && { details });
        }
      }
    }
  } catch (error) {
    line.clear();
    await finish(out, last).catch(() => {});
    throw error;
  }
  line.clear();
  throw new StreamError("producer_lost", "The stream broke off without an end");
}

/** A prompt or message shall not stand behind the last word on a terminal. */
async function finish(out: TextOut, last: string): Promise<void> {
  if (last !== "" && !last.endsWith("\n") && Deno.stdout.isTerminal()) {
    out.write("\n");
  }
  await out.flush();
}
