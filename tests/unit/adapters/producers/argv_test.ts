/** Argument lists can be read by everyone on a node. @module */
import { assert, assertEquals } from "@std/assert";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

const kind = PRODUCER_KINDS.find(({ name }) => name === "bash + curl")!;

Deno.test(
  { name: `producer, ${kind.name} - no token in curl's arguments`, ignore: kind.ignore },
  async () => {
    await using open = await openChannel();
    const folder = await Deno.makeTempDir();
    const path = Deno.env.get("PATH") ?? "";
    const spy =
      `#!/bin/bash\nprintf '%s\\n' "$@" >>'${folder}/seen'\nPATH='${path}' exec curl "$@"\n`;
    await Deno.writeTextFile(`${folder}/curl`, spy, { mode: 0o700 });
    const producer = await runProducer(kind, open, ["pipe", "--eof-is-done"], {
      PATH: `${folder}:${path}`,
    });
    await producer.write("text");
    await producer.conclude();
    assertEquals((await producer.ended).code, 0);
    const seen = await Deno.readTextFile(`${folder}/seen`);
    assert(seen.includes(open.channel.id) && !seen.includes(open.channel.tokens.produce));
    await Deno.remove(folder, { recursive: true });
  },
);
