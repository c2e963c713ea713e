/** Jobs on nodes that reach the relay through a site's proxy only: squid, with a CA of the site's own. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { dirname } from "node:path";
import { type LocalConfig, LocalExecutor, type ProducerKind } from "../../adapters/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { makeCertificates } from "../tools/certificates.ts";
import { tcpProxy } from "../tools/tcp_proxy.ts";
import { tlsFront } from "../tools/tls_front.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("proxy", "node22");
const node = Deno.env.get("STREAMRELAY_TEST_NODE22");
const proxies: Record<"connect" | "post", { url: string; log: string }> = JSON.parse(
  Deno.env.get("STREAMRELAY_TEST_PROXY") ?? "{}",
);

const KINDS: ProducerKind[] = ["deno", "node", "python3", "curl"];
/** By which of the names that other programs know a site may give its bundle. */
const BUNDLES: Record<string, string> = {
  deno: "SSL_CERT_FILE",
  node: "CURL_CA_BUNDLE",
  python3: "REQUESTS_CA_BUNDLE",
  curl: "REQUESTS_CA_BUNDLE",
};
/** What the machine that runs the tests may have set itself. */
const NO_BUNDLES = Object.fromEntries(
  ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "DENO_CERT", "NODE_EXTRA_CA_CERTS"]
    .map((name) => [name, ""]),
);
const SCRIPT = `printf 'Grüße von %s, ' "$1"
until [ -e "$2" ]; do sleep 0.05; done
echo 'nach dem Schnitt: 日本 🌊'
cat`;

interface Site {
  /** The relay, as jobs see it: with TLS, and without. */
  jobUrl: Record<"connect" | "post", string>;
  /** The environment of a job of a kind behind a proxy. */
  env(kind: ProducerKind, proxy: "connect" | "post"): Record<string, string>;
  /** Breaks every connection to the relay. */
  cut(): void;
  /** The configuration of an executor on this side. */
  config: LocalConfig;
  /** A folder. */
  folder: string;
  close(): Promise<void>;
}

async function site(): Promise<Site> {
  const folder = await Deno.makeTempDir();
  const certificates = await makeCertificates(folder);
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret });
  const cuttable = await tcpProxy({ to: relay.port });
  const front = await tlsFront(cuttable.port, certificates);
  return {
    folder,
    jobUrl: {
      connect: `wss://127.0.0.1:${front.port}`,
      post: `ws://127.0.0.1:${cuttable.port}`,
    },
    env: (kind, proxy) => ({
      ...NO_BUNDLES,
      [proxy === "connect" ? "https_proxy" : "http_proxy"]: proxies[proxy].url,
      no_proxy: "localhost,.internal",
      [BUNDLES[kind]]: certificates.authority,
    }),
    cut: () => cuttable.cut(),
    config: { relay: { url: relay.url, token: secret } },
    async close() {
      front.close();
      await cuttable.close();
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const kind of KINDS) {
  for (const way of ["connect", "post"] as const) {
    const what = way === "connect" ? "allows only CONNECT" : "allows only plain POST";
    Deno.test({
      name: `proxy - ${kind} streams through one that ${what}, and across a cut`,
      ignore,
      async fn() {
        const here = await site();
        try {
          const executor = new LocalExecutor({
            ...here.config,
            relay: { ...here.config.relay as { url: string }, jobUrl: here.jobUrl[way] },
            env: here.env(kind, way),
            setup: kind === "node" ? [`PATH=${dirname(node!)}:$PATH`] : [],
            producer: { use: [kind] },
            // curl can't encrypt; to the others the proxy makes no difference
            encryption: kind === "curl" ? "off" : "v2",
          });
          const go = `${here.folder}/go`;
          const stream = executor.stream({ text: SCRIPT }, "the prompt\n", {
            args: [kind, go],
            signal: AbortSignal.timeout(60_000),
          });
          let text = "";
          for await (const token of stream) {
            text += token;
            if (text === `Grüße von ${kind}, `) {
              here.cut();
              await Deno.writeTextFile(go, "");
            }
          }
          assertEquals(text, `Grüße von ${kind}, nach dem Schnitt: 日本 🌊\nthe prompt\n`);
          assertEquals((await stream.result).reason, "completed");
          const { host } = new URL(here.jobUrl[way]);
          const log = await Deno.readTextFile(proxies[way].log);
          assertMatch(
            log,
            new RegExp(way === "connect" ? `CONNECT ${host}` : `POST http://${host}/v1/channels/`),
          );
        } finally {
          await here.close();
        }
      },
    });
  }
}

Deno.test({ name: "proxy - no_proxy leads around it", ignore }, async () => {
  const here = await site();
  try {
    for (const kind of KINDS) {
      const executor = new LocalExecutor({
        ...here.config,
        relay: { ...here.config.relay as { url: string }, jobUrl: here.jobUrl.post },
        // nothing listens there
        env: { http_proxy: "http://127.0.0.1:9", no_proxy: "127.0.0.1" },
        setup: kind === "node" ? [`PATH=${dirname(node!)}:$PATH`] : [],
        producer: { use: [kind] },
        encryption: kind === "curl" ? "off" : "v2",
      });
      assertEquals(await executor.stream({ text: "echo direct" }).text(), "direct\n");
    }
  } finally {
    await here.close();
  }
});
