/** What `check` tells of relays: ours, the Python package's, none. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { pythonRelay } from "./python_peer.ts";

/** The verdict and the step of each line. */
function verdicts(stdout: string): string[] {
  return stdout.trim().split("\n").slice(1).map((line) =>
    `${line.slice(0, 8).trim()} ${line.slice(8, 22).trim()}`
  );
}

Deno.test("check - our relay, line by line", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0"]);
  const [url] = /ws:\S+\d/.exec(await relay.printed("\n"))!;
  const { code, stdout, stderr } = await somebody.run(["check"]);
  assertEquals([code, stderr], [0, ""], stdout);
  assertMatch(stdout, new RegExp(`^Checking ${url} from \\S+\n`));
  assertEquals(verdicts(stdout), [
    "ok reached",
    "ok credential",
    "ok plain",
    "ok encrypted",
    "ok plain, v1",
    "ok encrypted, v1",
    "ok wrong secret",
  ]);
  // nothing is left behind
  assertMatch((await somebody.run(["check"])).stdout, /active channels: 0\n/);

  const wrong = await somebody.run(["check", url], { env: { STREAMRELAY_TOKEN: "wrong" } });
  assertEquals(wrong.code, 20);
  assertEquals(verdicts(wrong.stdout), ["ok reached", "FAILED credential"]);
});

Deno.test("check - a relay that asks for no secret is warned of", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0", "--insecure"]);
  await relay.printed("\n");
  const { code, stdout, stderr } = await somebody.run(["check"]);
  assertEquals(code, 0);
  assertMatch(stdout, /ok {6}wrong secret +it was taken: the relay asks for none\n$/);
  assertMatch(stderr, /^streamrelay: Warning: the relay asks for no secret/);
});

Deno.test("check - a relay that drains says so, and that it makes no channels", async () => {
  await using somebody = await person();
  const secret = "a long random secret";
  const relay = somebody.start(["serve", "--port", "0", "--drain", "1h"], {
    env: { STREAMRELAY_SECRET: secret },
  });
  const [url] = /ws:\S+\d/.exec(await relay.printed("\n"))!;
  const { stdout: made } = await somebody.run(["channel", "new", "--export"]);
  const env = Object.fromEntries(
    [...made.matchAll(/(STREAMRELAY_\w+)='?([^'\n]*)'?/g)].map(([, name, value]) => [name, value]),
  );
  const producer = somebody.start(["produce"], { env });
  await producer.write("a word\n");
  // as long as somebody reads, the relay stays
  const reader = somebody.start(["consume"], { env });
  await reader.printed("a word\n");
  relay.kill("SIGTERM");
  await relay.printed("draining", "stderr");
  const { code, stdout } = await somebody.run(["check", url], {
    env: { STREAMRELAY_TOKEN: secret },
  });
  assertEquals(code, 23, stdout);
  assertEquals(verdicts(stdout), ["ok reached", "FAILED credential"]);
  assertMatch(stdout, /it is draining: it makes no new channels.*; active channels: 1\n/);
  assertMatch(stdout, /is about to go away and makes no new channels.* \[overloaded\]\n$/);
});

Deno.test("check - nothing there, and something that is no relay", async () => {
  await using somebody = await person();
  const nothing = await somebody.run(["check", "ws://127.0.0.1:1"]);
  assertEquals(nothing.code, 21);
  assertMatch(nothing.stdout, /\nFAILED +reached +Cannot reach a relay at ws:\/\/127\.0\.0\.1:1: /);
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("Welcome"),
  );
  const other = await somebody.run(["check", `http://127.0.0.1:${server.addr.port}`]);
  assertEquals(other.code, 21);
  assertEquals(verdicts(other.stdout), ["FAILED reached"]);
  await server.shutdown();
  const bad = await somebody.run(["check", "relay.example.org"]);
  assertEquals([bad.code, bad.stdout], [24, ""]);
  assertMatch(bad.stderr, /did you mean ws:\/\/relay\.example\.org\?/);
  const relay = somebody.start(["serve", "--port", "0"]);
  const said = await relay.printed(/Relay at ws:\S+:\d+/);
  const [url] = said.match(/ws:\S+:\d+/)!;
  const path = await somebody.run(["check", `${url}/elsewhere`]);
  assertEquals(path.code, 21);
  assertMatch(path.stdout, /closed the connection \(4000 /);
});

const { ignore } = needs("python");

Deno.test({
  name: "check - the Python package's relay, and how it refuses",
  ignore,
  async fn() {
    await using relay = await pythonRelay();
    await using somebody = await person();
    const env = { RELAY_SECRET: relay.secret };
    const { code, stdout, stderr } = await somebody.run(["check", relay.url], { env });
    assertEquals([code, stderr], [0, ""], stdout);
    assertMatch(stdout, /the relay has no control API: v1, as the Python package's/);
    assertEquals(verdicts(stdout), [
      "ok reached",
      "ok credential",
      "ok plain",
      "ok encrypted",
      "ok wrong secret",
    ]);
    const wrong = await somebody.run(["check", relay.url], { env: { RELAY_SECRET: "wrong" } });
    assertEquals(wrong.code, 20, wrong.stdout);
    assertEquals(verdicts(wrong.stdout).slice(2), [
      "FAILED plain",
      "FAILED encrypted",
      "ok wrong secret",
    ]);
  },
});
