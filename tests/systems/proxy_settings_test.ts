/** By which names a site may give its proxies and its CAs, and what is said of a CA that isn't there. @module */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { LocalExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { makeCertificates } from "../tools/certificates.ts";
import { needs } from "./needs.ts";
import { type NodeKind, NODES, proxiedSite, PROXIES, type Site, type Way } from "./proxied_site.ts";

const { ignore } = needs("proxy", "node22");
/** Nothing listens there. */
const NOWHERE = "http://127.0.0.1:9";
const BUNDLES = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];

async function text(
  site: Site,
  node: NodeKind,
  way: Way,
  env: Record<string, string> = {},
  input?: string,
): Promise<string> {
  const executor = new LocalExecutor(await site.config(node, way, env));
  const signal = AbortSignal.timeout(180_000);
  return await executor.stream({ text: "echo through" }, input, { signal }).text();
}

function passed(way: "connect" | "post", { jobUrl }: Site, proxy: keyof typeof PROXIES = way) {
  const { host } = new URL(jobUrl[way]);
  return Deno.readTextFileSync(PROXIES[proxy].log).split("\n")
    .some((line) => line.includes(host) && !line.includes("TCP_DENIED"));
}

for (const node of NODES) {
  const test = (name: string, fn: () => Promise<void>) =>
    Deno.test({ name: `proxy settings, a node with ${node.name} - ${name}`, ignore, fn });

  test("http_proxy and https_proxy, in capitals, too", async () => {
    for (const name of ["http_proxy", "HTTP_PROXY"]) {
      await using site = await proxiedSite();
      assertEquals(await text(site, node, "post", { [name]: PROXIES.post.url }), "through\n");
      assert(passed("post", site));
    }
    for (const name of ["https_proxy", "HTTPS_PROXY"]) {
      await using site = await proxiedSite();
      const env = { [name]: PROXIES.connect.url, SSL_CERT_FILE: site.certificates.authority };
      assertEquals(await text(site, node, "connect", env), "through\n");
      assert(passed("connect", site));
    }
  });

  test("a proxy with a login", async () => {
    await using site = await proxiedSite();
    const url = PROXIES.login.url.replace("//", "//user:a%40b%3Ac@");
    assertEquals(await text(site, node, "post", { http_proxy: url }), "through\n");
    assert(passed("post", site, "login"));
    const env = { https_proxy: url, SSL_CERT_FILE: site.certificates.authority };
    assertEquals(await text(site, node, "connect", env), "through\n");
    assert(passed("connect", site, "login"));
  });

  test("no_proxy leads around them, in capitals, too", async () => {
    await using site = await proxiedSite();
    for (const [proxies, name] of [["http_proxy", "no_proxy"], ["HTTP_PROXY", "NO_PROXY"]]) {
      const env = { [proxies]: NOWHERE, [name]: "localhost,.internal,127.0.0.1" };
      assertEquals(await text(site, node, "post", env), "through\n");
    }
  });

  test("a site's CAs, by any name that other programs know", async () => {
    await using site = await proxiedSite();
    for (const name of BUNDLES) {
      const env = { [name]: site.certificates.authority };
      assertEquals(await text(site, node, "connect", env), "through\n");
    }
    // what deno and node were told besides stays
    await Deno.mkdir(`${site.folder}/other`);
    const { authority } = await makeCertificates(`${site.folder}/other`);
    const others = { DENO_CERT: authority, NODE_EXTRA_CA_CERTS: authority };
    const env = { SSL_CERT_FILE: site.certificates.authority, ...others };
    assertEquals(await text(site, node, "connect", env), "through\n");
  });

  test("a certificate that isn't trusted is said so, in one sentence, at once", async () => {
    await using site = await proxiedSite();
    const { message } = await assertRejects(() => text(site, node, "connect"), StreamError);
    const { host } = new URL(site.jobUrl.connect);
    assertMatch(message, /^Nothing of the job ever reached the relay \(the certificate of /);
    assert(message.includes(`://${host} is not trusted on ${Deno.hostname()} (`), message);
    assert(message.includes("expected SSL_CERT_FILE to name the CAs that signed it"), message);

    // where there is a prompt, the program does not run without it
    const prompted = () => text(site, node, "connect", {}, "the prompt");
    const error = await assertRejects(prompted, StreamError, "is not trusted on");
    assertMatch(error.message, /^The job ended with exit code 87: the certificate of /);
  });
}
