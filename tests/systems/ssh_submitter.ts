/** A process that runs an ssh job and prints its tokens, for tests that kill it. @module */
import { SshExecutor } from "../../adapters/mod.ts";

const { config, text } = JSON.parse(Deno.env.get("SUBMITTER") ?? "");
for await (const token of new SshExecutor(config).stream({ text })) {
  await Deno.stdout.write(new TextEncoder().encode(token));
}
