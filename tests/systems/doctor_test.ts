/** What `doctor` finds on nodes that lack something: namespaces, nftables, squid, OpenSSL. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { serveRelay } from "../../server/mod.ts";
import { makeCertificates } from "../tools/certificates.ts";
import { bareNode } from "./bare_node.ts";
import { type CommandOutcome, person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { nodeNamespace } from "./node_namespace.ts";

const { ignore } = needs("netns");

/** Exit code of a node that can't produce as it is. */
const CANNOT = 3;

/** The state of each check, and what is said of those that are not in order. */
function told({ stdout }: CommandOutcome): { states: Record<string, string>; words: string } {
  const lines = stdout.split("\n\n")[0].split("\n");
  const states: Record<string, string> = {};
  for (const line of lines) {
    const [, state, check] = /^(ok|warning|PROBLEM|–) +(\S+)/.exec(line) ?? [];
    // of several producers the best counts
    if (check && states[check] !== "ok") states[check] = state;
  }
  return { states, words: lines.filter((line) => !line.startsWith("ok")).join("\n") };
}

function verdict({ stdout }: CommandOutcome): string | undefined {
  return /^Verdict: (.*)\.$/m.exec(stdout)?.[1];
}

/** The profile at the end. */
function profile({ stdout }: CommandOutcome): Record<string, unknown> {
  return JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
}

Deno.test({
  name: "doctor - a node where all is well can produce",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    const outcome = await node.somebody.run(["doctor", node.url]);
    const { states } = told(outcome);
    assertEquals(outcome.code, 0, outcome.stdout + outcome.stderr);
    assertEquals(states, {
      dns: "ok",
      port: "ok",
      proxy: "ok",
      relay: "ok",
      websocket: "ok",
      upload: "ok",
      clock: "ok",
      producer: "ok",
      stream: "ok",
    });
    assertStringIncludes(outcome.stdout, `relay.test is ${node.address}\n`);
    assertMatch(verdict(outcome)!, / can produce$/);
    assertEquals(profile(outcome).relay, { url: node.url });
    assert(!outcome.stdout.includes(node.secret));

    const json = await node.somebody.run(["doctor", node.url, "--json"]);
    assertEquals(json.code, 0);
    const { produces, checks } = JSON.parse(json.stdout);
    assertEquals(produces, "yes");
    assertEquals(checks.at(-1).check, "stream");
  },
});

Deno.test({
  name: "doctor - no DNS",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    await node.etc("hosts", "127.0.0.1 localhost\n");
    const outcome = await node.somebody.run(["doctor", node.url, "--timeout", "5"]);
    const { states, words } = told(outcome);
    assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
    assertEquals([states.dns, states.port, states.stream], ["PROBLEM", "–", "–"]);
    assertStringIncludes(words, "relay.test can't be resolved on this node (asked 127.0.0.1)");
    assertMatch(words, /→ name the relay by its address/);
    assertMatch(verdict(outcome)!, / can't produce \(dns\)$/);
  },
});

Deno.test({
  name: "doctor - a blocked port",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    await node.block(node.port);
    const outcome = await node.somebody.run(["doctor", node.url, "--timeout", "2"]);
    const { states, words } = told(outcome);
    assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
    assertEquals([states.dns, states.port, states.stream], ["ok", "PROBLEM", "–"]);
    assertStringIncludes(words, `relay.test:${node.port} does not answer this node`);
    assertMatch(words, /→ have the site open that port/);
    assertMatch(verdict(outcome)!, / can't produce \(port\)$/);
  },
});

Deno.test({
  name: "doctor - a proxy is needed: it is found, tried, and named; once it is set all is well",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    await node.block(node.port);
    const proxy = await node.proxy(["http_access allow all"]);
    await node.etc("environment", `# site\nHTTP_PROXY="${proxy.url}/"\n`);
    const outcome = await node.somebody.run(["doctor", node.url, "--timeout", "5"]);
    const { states, words } = told(outcome);
    assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
    assertEquals([states.proxy, states.stream], ["PROBLEM", "–"]);
    assertStringIncludes(
      words,
      `relay.test:${node.port} is reached only through the proxy ${proxy.url}, which /etc/environment names, and http_proxy is not set`,
    );
    assertStringIncludes(words, `→ set http_proxy=${proxy.url} in the job's env`);
    assertMatch(verdict(outcome)!, / may produce with the profile below \(proxy\)/);
    const { env } = profile(outcome) as { env: Record<string, string> };
    assertEquals(env, { http_proxy: proxy.url });

    const mended = await node.somebody.run(["doctor", node.url], { env });
    assertEquals(mended.code, 0, mended.stdout + mended.stderr);
    assertStringIncludes(
      mended.stdout,
      `http_proxy=${proxy.url} leads to relay.test:${node.port}\n`,
    );
    assertEquals(told(mended).states.stream, "ok");

    await node.etc("environment", "");
    const none = await node.somebody.run(["doctor", node.url, "--timeout", "2"]);
    assertEquals(told(none).states.port, "PROBLEM");
    const named = await node.somebody.run([
      "doctor",
      node.url,
      ...["--timeout", "5", "--proxy", proxy.url],
    ]);
    assertStringIncludes(
      named.stdout,
      `reached only through the proxy ${proxy.url}, and http_proxy`,
    );
  },
});

Deno.test({
  name: "doctor - a proxy that refuses is told from one that is needed; its password is not",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    const proxy = await node.proxy(["http_access deny all"]);
    const url = proxy.url.replace("http://", "me:s3cret@");
    const env = { http_proxy: `http://${url}` };
    const outcome = await node.somebody.run(["doctor", node.url], { env });
    const { states, words } = told(outcome);
    assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
    assertEquals([states.port, states.proxy], ["ok", "PROBLEM"]);
    assertStringIncludes(words, "does not lead to relay.test");
    assertStringIncludes(words, "it refuses: HTTP 403");
    assertStringIncludes(words, "→ add relay.test to no_proxy");
    const bare = await node.somebody.run(["doctor", node.url], { env: { http_proxy: url } });
    assertStringIncludes(bare.stdout, "http_proxy=…@");
    for (const { stdout, stderr } of [outcome, bare]) {
      assert(!(stdout + stderr).includes("s3cret"), stdout);
    }
  },
});

Deno.test({
  name: "doctor - a certificate that is not trusted, and the CA that mends it",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const { authority, cert, key } = await makeCertificates(folder);
    const secret = crypto.randomUUID();
    const relay = await serveRelay({
      port: 0,
      secret,
      cert: await Deno.readTextFile(cert),
      key: await Deno.readTextFile(key),
    });
    try {
      await using somebody = await person(undefined, { STREAMRELAY_TOKEN: secret });
      const outcome = await somebody.run(["doctor", relay.url]);
      const { states, words } = told(outcome);
      assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
      assertEquals([states.port, states.tls], ["ok", "PROBLEM"]);
      assertStringIncludes(words, "the relay's certificate is not trusted on this node");
      assertMatch(words, /issued by CN ?= ?Site CA/);
      assertMatch(words, /→ .*SSL_CERT_FILE/);
      assertMatch(verdict(outcome)!, / can't produce \(.*tls/);

      const env = { SSL_CERT_FILE: authority, DENO_CERT: authority };
      const mended = await somebody.run(["doctor", relay.url], { env });
      assertEquals(mended.code, 0, mended.stdout + mended.stderr);
      assertEquals(told(mended).states.tls, "ok");
    } finally {
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "doctor - a clock that goes wrong",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    const relay = await serveRelay({ port: 0, secret });
    try {
      const cli = new URL("../../cli.ts", import.meta.url).pathname;
      await using somebody = await person([
        ...["faketime", "-f", "+7200s"],
        ...[Deno.execPath(), "run", "-A", "--quiet", cli],
      ], { STREAMRELAY_TOKEN: secret, FAKETIME_DONT_FAKE_MONOTONIC: "1" });
      const outcome = await somebody.run(["doctor", relay.url]);
      const { states, words } = told(outcome);
      assertEquals(states.clock, "warning", outcome.stdout + outcome.stderr);
      assertMatch(words, /this node's clock is 2 hours ahead of the relay's/);
      // nothing in a stream hangs on the node's clock
      assertEquals([outcome.code, states.stream], [0, "ok"]);
    } finally {
      await relay.close();
    }
  },
});

Deno.test({
  name: "doctor - no producer",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const path = await bareNode(`${folder}/bin`, []);
    const secret = crypto.randomUUID();
    const relay = await serveRelay({ port: 0, secret });
    try {
      await using somebody = await person(undefined, {
        STREAMRELAY_TOKEN: secret,
        PATH: path,
      });
      const outcome = await somebody.run(["doctor", relay.url]);
      const { states, words } = told(outcome);
      assertEquals(outcome.code, CANNOT, outcome.stdout + outcome.stderr);
      assertEquals([states.port, states.producer], ["ok", "PROBLEM"]);
      assertStringIncludes(
        words,
        "no producer can be used on this node; not there: streamrelay-producer, deno, node, python3, curl",
      );
      assertMatch(words, /→ load one with setup/);
      assertMatch(verdict(outcome)!, / can't produce \(producer\)$/);
    } finally {
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name: "doctor - a node with python3 alone is examined with that",
  ignore,
  async fn() {
    const folder = await Deno.makeTempDir();
    const secret = crypto.randomUUID();
    const relay = await serveRelay({ port: 0, secret });
    try {
      await using somebody = await person(undefined, {
        STREAMRELAY_TOKEN: secret,
        PATH: await bareNode(`${folder}/bin`, ["python3"]),
      });
      const outcome = await somebody.run(["doctor", relay.url]);
      const { states } = told(outcome);
      assertEquals(outcome.code, 0, outcome.stdout + outcome.stderr);
      const { websocket, upload, clock } = states;
      assertEquals([websocket, upload, clock], ["ok", "ok", "ok"]);
      assertStringIncludes(outcome.stdout, "python3 has streamed this report to the relay\n");
      assertEquals(profile(outcome).producer, { use: ["python3"] });
    } finally {
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    }
  },
});

Deno.test({
  name:
    "doctor - a node with python3 alone: a proxy that allows tunnels only, and one that is needed",
  ignore,
  async fn() {
    await using node = await nodeNamespace();
    const PATH = await bareNode(`${node.somebody.home}/bin`, ["python3"]);
    await node.block(node.port);
    const tunnels = await node.proxy(["http_access allow CONNECT", "http_access deny all"]);
    const open = await node.proxy(["http_access allow all"]);
    const refused = await node.somebody.run(
      ["doctor", node.url, "--timeout", "5", "--proxy", open.url],
      { env: { PATH, http_proxy: tunnels.url } },
    );
    assertStringIncludes(
      refused.stdout,
      `http_proxy=${tunnels.url} does not lead to relay.test:${node.port} (it refuses: HTTP 403); ${open.url} does`,
    );
    const passed = await node.somebody.run(["doctor", node.url, "--timeout", "5"], {
      env: { PATH, http_proxy: open.url },
    });
    assertEquals(passed.code, 0, passed.stdout + passed.stderr);
  },
});
