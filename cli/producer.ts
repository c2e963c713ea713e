/** `streamrelay producer`: prints a producer for machines without Deno. @module */
import python from "../adapters/producers/producer.py" with { type: "text" };
import shell from "../adapters/producers/producer.sh" with { type: "text" };
import type { Command } from "./command.ts";
import { TextOut } from "./text_out.ts";
import { UsageError } from "./usage_error.ts";

const PRODUCERS = new Map([["python", python], ["curl", shell]]);

/** The subcommand. */
export const command: Command = {
  name: "producer",
  summary: "Print a producer for machines without Deno: one file, no dependency.",
  synopsis: "python|curl",
  about: `python needs python3 ≥ 3.6, curl needs bash and curl. The channel is found in
STREAMRELAY_URL, STREAMRELAY_CHANNEL and STREAMRELAY_TOKEN.`,
  flags: [],
  positionals: 1,
  examples: [
    [
      "streamrelay producer python > producer.py",
      "in the job: my-model | python3 producer.py pipe",
    ],
  ],
  async run(given) {
    const [name] = given.positionals;
    const text = PRODUCERS.get(name);
    if (text === undefined) {
      throw new UsageError(
        `${
          name === undefined ? "No producer was named" : `Unknown producer ${JSON.stringify(name)}`
        }: expected python or curl`,
      );
    }
    const out = new TextOut();
    out.write(text);
    await out.flush();
    return 0;
  },
};
