/** Python functions on the stand-in. @module */
import { assertEquals } from "@std/assert";
import { GlobusComputeExecutor } from "../../adapters/mod.ts";
import { functionContract } from "./globus_functions.ts";
import { globusFixture } from "./globus_fixture.ts";
import { globusStandIn } from "./globus_stand_in.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("python");
const service = ignore ? undefined : globusStandIn();

functionContract({
  name: "globus stand-in",
  ignore,
  make: (config) =>
    new GlobusComputeExecutor({
      ...config,
      endpoint: service!.endpoint,
      login: { token: service!.newToken() },
      serviceUrl: service!.url,
    }),
});

Deno.test({
  name: "globus function - one that somebody else registered gets its arguments alone",
  ignore,
  async fn() {
    await using fixture = await globusFixture();
    const { make, service } = fixture;
    const functionUuid = service.register(
      "infer",
      `
def infer(prompt, relay_url, channel_id, relay_secret=""):
    from streamrelay import RelayProducer
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        relay.send_token(prompt[::-1])
`,
    );
    const text = await make().stream({ functionUuid, arguments: { prompt: "tide" } }).text();
    assertEquals(text, "edit");
  },
});

Deno.test({
  name: "globus function - a cancel while queued keeps it from being called",
  ignore,
  async fn() {
    await using fixture = await globusFixture({ held: true });
    const { make, service, dir } = fixture;
    const stream = make().stream({
      python: { text: `def infer(**_): open("${dir}/ran", "w")` },
      function: "infer",
    });
    await stream.onChunk(async (event) => {
      if (event.type !== "status" || event.state !== "queued") return;
      assertEquals(await stream.cancel(), "recorded");
    });
    assertEquals((await stream.result).reason, "cancelled");
    service.release();
    await service.idle();
    const names = [...Deno.readDirSync(dir)].map(({ name }) => name);
    assertEquals(names.includes("ran"), false);
  },
});

Deno.test({
  name: "globus function - its input is in no request to the service",
  ignore,
  async fn() {
    await using fixture = await globusFixture();
    const { make, service } = fixture;
    const prompt = "the-prompt-that-nobody-else-may-see";
    const python = {
      text: `
from streamrelay import RelayProducer
def infer(question, relay_url, channel_id, relay_secret=""):
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        relay.send_token(question)
`,
    };
    const call = { python, function: "infer", inputAs: "question" };
    assertEquals(await make().stream(call, prompt).text(), prompt);
    assertEquals(JSON.stringify(service.requests).includes(prompt), false);
  },
});
