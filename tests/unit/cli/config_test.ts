/** @module */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { profileOf, readConfig, relayOf } from "../../../cli/config.ts";
import { UsageError } from "../../../cli/usage_error.ts";

/** Reads a configuration, as if it stood in the user's file. */
async function withConfig<T>(text: string | undefined, act: (path: string) => Promise<T>) {
  const path = await Deno.makeTempFile({ suffix: ".json" });
  const before = Deno.env.get("STREAMRELAY_CONFIG");
  Deno.env.set("STREAMRELAY_CONFIG", path);
  try {
    if (text === undefined) await Deno.remove(path);
    else await Deno.writeTextFile(path, text);
    return await act(path);
  } finally {
    if (before === undefined) Deno.env.delete("STREAMRELAY_CONFIG");
    else Deno.env.set("STREAMRELAY_CONFIG", before);
    await Deno.remove(path).catch(() => {});
  }
}

async function complaint(text: string | undefined): Promise<string> {
  return await withConfig(text, async (path) => {
    const { message } = await assertRejects(() => readConfig(), UsageError);
    return message.replace(path, "config.json");
  });
}

Deno.test("config - a profile, with the relay of all unless it has its own", async () => {
  const config = await withConfig(
    JSON.stringify({
      relay: "wss://all.example",
      profiles: {
        gpu: { executor: "slurm", partition: "gpu", setup: ["module load cuda"] },
        own: { relay: { url: "wss://own.example", jobUrl: "ws://10.0.0.1:1" } },
      },
    }),
    () => readConfig(),
  );
  assertEquals(profileOf(config, "gpu"), {
    executor: "slurm",
    partition: "gpu",
    relay: "wss://all.example",
    setup: ["module load cuda"],
  });
  assertEquals(profileOf(config, undefined), { relay: "wss://all.example" });
  assertEquals(await relayOf(profileOf(config, "own").relay), {
    url: "wss://own.example",
    jobUrl: "ws://10.0.0.1:1",
  });
  const { message } = assertThrows(() => profileOf(config, "cpu"), UsageError);
  assertEquals(/^Unknown profile "cpu": \S+ has gpu, own$/.test(message), true, message);
});

Deno.test("config - a token from a file", async () => {
  const path = await Deno.makeTempFile();
  await Deno.writeTextFile(path, "secret\n");
  assertEquals(await relayOf({ url: "wss://a", tokenFile: path }), {
    url: "wss://a",
    token: "secret",
  });
  await Deno.remove(path);
  const { message } = await assertRejects(
    () => relayOf({ url: "wss://a", tokenFile: path }),
    UsageError,
  );
  assertEquals(message.startsWith(`Cannot read relay.tokenFile ${path}: `), true);
});

Deno.test("config - what can't be is told in one sentence with its place", async () => {
  assertEquals(
    await complaint("{"),
    "Cannot use config.json: Expected property name or '}' in JSON at position 1 (line 1 column 2), expected JSON",
  );
  assertEquals(
    await complaint('{"profiles":{"gpu":{"partition":7}}}'),
    "Cannot use config.json: profiles.gpu.partition: Invalid input: expected string, received number",
  );
  assertEquals(
    await complaint('{"profiles":{"gpu":{"partitoin":"gpu"}}}'),
    'Cannot use config.json: profiles.gpu: Unrecognized key: "partitoin"',
  );
  assertEquals(
    await complaint('{"relay":{"url":"ws://a","tokn":"x"}}'),
    'Cannot use config.json: relay: Unrecognized key: "tokn"',
  );
  assertEquals(
    await complaint(undefined),
    "Cannot use config.json: there is no such file, expected JSON",
  );
});

Deno.test("config - a site's lies under the user's own", async () => {
  const site = await Deno.makeTempFile();
  await Deno.writeTextFile(
    site,
    JSON.stringify({
      relay: "wss://site.example",
      profiles: { gpu: { executor: "slurm", partition: "gpu", time: 60 }, cpu: {} },
    }),
  );
  const own = JSON.stringify({ profiles: { gpu: { time: 10 }, mine: { executor: "local" } } });
  const config = await withConfig(own, () => readConfig(site));
  assertEquals(config.relay, "wss://site.example");
  assertEquals(config.profiles, {
    gpu: { executor: "slurm", partition: "gpu", time: 10 },
    cpu: {},
    mine: { executor: "local" },
  });
  await Deno.writeTextFile(site, '{"profiles": {"gpu": {"time": []}}}');
  const { message } = await withConfig(
    "{}",
    () => assertRejects(() => readConfig(site), UsageError),
  );
  assertEquals(message.startsWith(`Cannot use ${site}: profiles.gpu.time: `), true, message);
  await Deno.remove(site);
  assertEquals(await withConfig("{}", () => readConfig(site)), {});
});

Deno.test("config - every executor's own options, and none of another's", async () => {
  const profiles = {
    login: { executor: "slurm", via: "login1", nodes: "2-4" },
    far: {
      executor: "pbs",
      queue: "gpu",
      via: { ssh: "me@login2", persist: 60 },
      bin: "/opt/pbs/bin",
    },
    box: { executor: "ssh", host: "gpu-box", killAfter: 100 },
    cloud: {
      executor: "globus",
      endpoint: "4b116d3c-1703-4f8f-9f6f-39921e5864df",
      login: { clientId: "c", clientSecretFile: "/s" },
      userEndpointConfig: { partition: "gpu", nodes: 2 },
    },
  };
  const config = await withConfig(JSON.stringify({ profiles }), () => readConfig());
  assertEquals(profileOf(config, "login").via, { ssh: "login1" });
  assertEquals(profileOf(config, "far"), profiles.far as object);
  assertEquals(profileOf(config, "cloud"), profiles.cloud as object);
  const wrong: [object, string][] = [
    [
      { executor: "pbs", partition: "gpu" },
      "p.partition: It is one of slurm, and no option of pbs",
    ],
    [{ executor: "ssh", via: "x" }, "p.via: It is one of slurm or pbs, and no option of ssh"],
    [
      { executor: "local", time: 5 },
      "p.time: It is one of slurm, pbs or globus, and no option of local",
    ],
    [{ executor: "globus", endpoint: "mine" }, "p.endpoint: Invalid UUID"],
    [{ via: { host: "x" } }, "p.via.ssh: Invalid input: expected string, received undefined"],
    [
      { executor: "globus", login: { clientId: "c", clientSecret: "s" } },
      'p.login: Unrecognized key: "clientSecret"',
    ],
    [
      { executor: "lsf" },
      'p.executor: Invalid option: expected one of "local"|"slurm"|"pbs"|"ssh"|"globus"',
    ],
  ];
  for (const [p, words] of wrong) {
    assertEquals(
      await complaint(JSON.stringify({ profiles: { p } })),
      `Cannot use config.json: profiles.${words}`,
    );
  }
});
