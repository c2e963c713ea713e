/** `doctor pbs`, about the node of a job of PBS. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { serveRelay } from "../../server/mod.ts";
import { person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { pbsSuite } from "./pbs_suite.ts";

pbsSuite(import.meta.url, needs("pbs"), (ignore) => {
  Deno.test({
    name: "doctor pbs - submits itself, and prints the profile to use",
    ignore,
    async fn() {
      const secret = crypto.randomUUID();
      const relay = await serveRelay({ port: 0, secret });
      try {
        await using somebody = await person(undefined, { STREAMRELAY_TOKEN: secret });
        const { code, stdout, stderr } = await somebody.run([...[
          "doctor",
          "pbs",
          "--bin",
          Deno.env.get("STREAMRELAY_TEST_PBS")!,
        ], ...["--url", relay.url]]);
        assertEquals(code, 0, stdout + stderr);
        assertMatch(stdout, /^Verdict: \S+ can produce\.$/m);
        const profile = JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
        assertEquals([profile.executor, profile.relay], ["pbs", { url: relay.url }]);
      } finally {
        await relay.close();
      }
    },
  });
});
