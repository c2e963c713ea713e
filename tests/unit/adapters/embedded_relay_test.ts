import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  embeddedRelay,
  findLocalRelay,
  LocalExecutor,
  relayFor,
  writeRelayRecord,
} from "../../../adapters/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { until } from "../../tools/until.ts";

/** Runs with a state folder of its own, and ends what relays were left there. */
async function withState(body: (state: string) => Promise<void>) {
  const before = new Map(
    ["STREAMRELAY_STATE", "STREAMRELAY_URL", "RELAY_URL"].map((name) => [
      name,
      Deno.env.get(name),
    ]),
  );
  const state = await Deno.makeTempDir({ prefix: "streamrelay-state-" });
  Deno.env.set("STREAMRELAY_STATE", state);
  Deno.env.delete("STREAMRELAY_URL");
  Deno.env.delete("RELAY_URL");
  try {
    await body(state);
  } finally {
    for (let relay; (relay = await findLocalRelay()) !== undefined;) {
      await end(relay.pid, "SIGKILL");
    }
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    await Deno.remove(state, { recursive: true });
  }
}

async function end(pid: number, signal: Deno.Signal): Promise<void> {
  if (pid === Deno.pid) return;
  Deno.kill(pid, signal);
  await until("the relay to end", () => !lives(pid));
}

function lives(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(Deno.readTextFileSync(`/proc/${pid}/status`));
  } catch {
    return false;
  }
}

const modeOf = async (path: string) => (await Deno.stat(path)).mode! & 0o777;

Deno.test("embedded relay - runs share one, which outlives them, and is private", async () => {
  await withState(async (state) => {
    const [one, two] = await Promise.all([embeddedRelay(), embeddedRelay()]);
    assertEquals(one.pid, two.pid);
    assertEquals((await embeddedRelay()).url, one.url);
    assert(one.url.startsWith("ws://127.0.0.1:"));
    assertEquals(await modeOf(state), 0o700);
    assertEquals(await modeOf(`${state}/secret`), 0o600);
    for await (const { name } of Deno.readDir(`${state}/relays`)) {
      assertEquals(await modeOf(`${state}/relays/${name}`), 0o600, name);
    }
    const args = await Deno.readTextFile(`/proc/${one.pid}/cmdline`);
    assert(!args.includes(one.secret));

    const executor = new LocalExecutor({ relay: "embedded" });
    assertEquals(await executor.stream({ text: "cat" }, "hi").text(), "hi");
    // the relay is found without being asked for, too
    assertEquals(
      await new LocalExecutor().stream({ text: "cat" }, "ho").text(),
      "ho",
    );
    assertEquals((await relayFor(undefined)).url, one.url);
  });
});

Deno.test("embedded relay - one that was killed is replaced", async () => {
  await withState(async () => {
    const one = await embeddedRelay();
    await end(one.pid, "SIGKILL");
    const two = await embeddedRelay();
    assert(one.pid !== two.pid);
    assertEquals(one.secret, two.secret);
  });
});

Deno.test("embedded relay - it ends when idle, and leaves no word behind", async () => {
  await withState(async (state) => {
    const { pid } = await embeddedRelay({ idleExit: 0.3 });
    await until("the relay to end by itself", () => !lives(pid));
    assertEquals(await findLocalRelay(), undefined);
    const names = await Array.fromAsync(Deno.readDir(`${state}/relays`));
    assert(!names.some(({ name }) => name.endsWith(".json")));
  });
});

Deno.test("embedded relay - SIGTERM ends it", async () => {
  await withState(async () => {
    const { pid } = await embeddedRelay();
    await end(pid, "SIGTERM");
    assertEquals(await findLocalRelay(), undefined);
  });
});

Deno.test("embedded relay - one that can't start says why", async () => {
  await withState(async () => {
    const error = await assertRejects(
      () => embeddedRelay({ host: "203.0.113.1" }),
      StreamError,
    );
    assertEquals(error.code, "unreachable");
  });
});

Deno.test("relay record - a stranger on a dead relay's port is not trusted", async () => {
  await withState(async () => {
    const server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      () => Response.json({ status: "healthy" }),
    );
    await writeRelayRecord("dead", {
      url: `ws://127.0.0.1:${server.addr.port}`,
      secret: "s",
      // beyond what Linux gives to processes
      pid: 4_194_305,
      started: 1,
      embedded: true,
    });
    assertEquals(await findLocalRelay(), undefined);
    await server.shutdown();
  });
});

Deno.test("relay - a URL that is none is named", async () => {
  for (const url of ["login1:8765", "ftp://login1", "ws://"]) {
    const error = await assertRejects(
      () => relayFor({ url, token: "t" }),
      StreamError,
      url,
    );
    assertEquals(error.code, "bad_request");
  }
});

Deno.test("relay - the environment's is used where none is given", async () => {
  await withState(async () => {
    Deno.env.set("RELAY_URL", "ws://relay.example:1");
    Deno.env.set("STREAMRELAY_JOB_URL", "ws://10.0.0.1:1");
    try {
      assertEquals(await relayFor(undefined), {
        url: "ws://relay.example:1",
        jobUrl: "ws://10.0.0.1:1",
      });
      assertEquals(
        (await relayFor({ url: "ws://other.example", token: "t" })).jobUrl,
        "ws://other.example",
      );
    } finally {
      Deno.env.delete("STREAMRELAY_JOB_URL");
    }
  });
});
