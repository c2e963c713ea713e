import { assert, assertEquals } from "@std/assert";
import { findLocalRelay, SlurmExecutor } from "../../adapters/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("slurm");

Deno.test({
  name: "slurm embedded - a relay is started where nodes can reach it, and two runs share it",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    Deno.env.set("STREAMRELAY_STATE", `${dir}/state`);
    try {
      const executor = new SlurmExecutor({ ...config, relay: "embedded" });
      const texts = await Promise.all(
        ["one", "two"].map((prompt) => executor.stream({ text: "cat" }, prompt).text()),
      );
      assertEquals(texts, ["one", "two"]);
      const relay = await findLocalRelay();
      assert(relay?.embedded);
      // this cluster's only node is this machine
      assert(relay.url.startsWith("ws://127.0.0.1:"));
    } finally {
      const relay = await findLocalRelay();
      if (relay) {
        Deno.kill(relay.pid, "SIGTERM");
        await until(
          "the relay to end",
          async () => await findLocalRelay() === undefined,
        );
      }
      Deno.env.delete("STREAMRELAY_STATE");
    }
  },
});
