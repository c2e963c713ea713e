/** The same text from every kind of node, in every way to the relay, across a cut and without: squid. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { LocalExecutor } from "../../adapters/mod.ts";
import { needs } from "./needs.ts";
import { NODES, proxiedSite, PROXIES, type Way } from "./proxied_site.ts";

const { ignore } = needs("proxy", "node22");

const WAYS: Record<Way, string> = {
  direct: "straight to the relay",
  connect: "through a proxy that allows only CONNECT",
  post: "through a proxy that allows only POST",
};
const SCRIPT = `printf 'Grüße, '
until [ -e "$1" ]; do sleep 0.05; done
for line in {1..300}; do echo "Zeile $line: 日本 🌊"; done
cat`;
const TEXT = `Grüße, ${
  Array.from({ length: 300 }, (_, at) => `Zeile ${at + 1}: 日本 🌊\n`).join("")
}the prompt: é\n`;

for (const node of NODES) {
  for (const [way, where] of Object.entries(WAYS) as [Way, string][]) {
    for (const cut of [false, true]) {
      Deno.test({
        name: `proxy - a node with ${node.name} streams ${where}${cut ? ", across cuts" : ""}`,
        ignore,
        async fn() {
          await using site = await proxiedSite();
          const go = `${site.folder}/go`;
          const executor = new LocalExecutor(await site.config(node, way, settings(way, site)));
          const stream = executor.stream({ text: SCRIPT }, "the prompt: é\n", {
            args: [go],
            signal: AbortSignal.timeout(180_000),
          });
          let text = "";
          let before = Infinity;
          for await (const token of stream) {
            text += token;
            if (text !== "Grüße, ") continue;
            before = site.connections;
            if (cut) site.cut();
            await Deno.writeTextFile(go, "");
          }
          assertEquals(text, TEXT);
          assertEquals((await stream.result).reason, "completed");
          if (cut) assert(site.connections > before);
          if (way !== "direct") await assertPassed(way, new URL(site.jobUrl[way]).host);
        },
      });
    }
  }
}

function settings(way: Way, site: { certificates: { authority: string } }): Record<string, string> {
  if (way === "direct") return {};
  if (way === "post") return { http_proxy: PROXIES.post.url };
  return { https_proxy: PROXIES.connect.url, SSL_CERT_FILE: site.certificates.authority };
}

/** That the proxy has passed it on, and nothing in another way. */
async function assertPassed(way: "connect" | "post", host: string): Promise<void> {
  const lines = (await Deno.readTextFile(PROXIES[way].log)).split("\n")
    .filter((line) => line.includes(host) && !line.includes("TCP_DENIED"));
  const expected = way === "connect" ? `CONNECT ${host}` : `POST http://${host}/v1/channels/`;
  assert(lines.length > 0);
  for (const line of lines) assertMatch(line, new RegExp(` ${expected}`));
}
