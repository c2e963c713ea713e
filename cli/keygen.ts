/** `streamrelay keygen`: a key of end-to-end encryption. @module */
import { writePrivate } from "../adapters/state_folder.ts";
import { generateKey } from "../stream/mod.ts";
import type { Command } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "keygen",
  summary: "Make a key of end-to-end encryption.",
  synopsis: "[--out FILE]",
  flags: [{
    name: "out",
    value: "FILE",
    help: "Write it there, readable by you alone, and not to stdout",
  }],
  examples: [
    ["streamrelay keygen --out stream.key", "for --key-file of produce and consume"],
  ],
  async run(given) {
    const key = generateKey();
    const path = given.text("out");
    if (path === undefined) console.log(key);
    else {
      await writePrivate(path, key + "\n").catch((error) => {
        const why = error.message.split(" (os error")[0];
        throw new UsageError(`Cannot write --out ${path}: ${why}`);
      });
    }
    return 0;
  },
};
