/** A site whose compute nodes reach the relay in one way only: straight, or through a proxy. @module */
import type { LocalConfig } from "../../adapters/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { type Certificates, makeCertificates } from "../tools/certificates.ts";
import { tcpProxy } from "../tools/tcp_proxy.ts";
import { tlsFront } from "../tools/tls_front.ts";
import { bareNode } from "./bare_node.ts";

/** How nodes reach the relay. */
export type Way = "direct" | "connect" | "post";

/** The proxies there are: one allows only CONNECT, one only POST, one wants a login. */
export const PROXIES: Record<Exclude<Way, "direct"> | "login", { url: string; log: string }> = JSON
  .parse(
    Deno.env.get("STREAMRELAY_TEST_PROXY") ?? "{}",
  );

/** A kind of node, by what it has beside bash and coreutils. */
export interface NodeKind {
  /** What it is called in tests' names. */
  name: string;
  /** What it has. */
  programs: string[];
  /** Whether what it has can encrypt. */
  encrypts: boolean;
}

/** Every kind. */
export const NODES: NodeKind[] = [
  { name: "only curl", programs: ["curl"], encrypts: false },
  { name: "only python3", programs: ["python3"], encrypts: true },
  { name: "our producer on deno", programs: [Deno.execPath()], encrypts: true },
  {
    name: "our producer on node",
    programs: [Deno.env.get("STREAMRELAY_TEST_NODE22") ?? "node"],
    encrypts: true,
  },
];

/** One. */
export interface Site {
  /** A folder. */
  folder: string;
  /** A certificate authority of the site's own, and the relay's certificate. */
  certificates: Certificates;
  /** The relay as jobs see it; with TLS where the way is CONNECT. */
  jobUrl: Record<Way, string>;
  /** The configuration of an executor whose jobs run on such a node. */
  config(node: NodeKind, way: Way, env?: Record<string, string>): Promise<LocalConfig>;
  /** Breaks every connection to the relay, and the next one when it is in the middle of something. */
  cut(): void;
  /** How many connections the relay has had from jobs. */
  readonly connections: number;
  /** Ends it. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What the machine that runs the tests may have set for itself. */
const FOREIGN =
  /^((https?|all|no)_proxy|ssl_cert_(file|dir)|curl_ca_bundle|requests_ca_bundle|deno_(cert|tls_ca_store)|node_extra_ca_certs|streamrelay_producer)$/i;

/** Builds one. */
export async function proxiedSite(): Promise<Site> {
  for (const name of Object.keys(Deno.env.toObject())) {
    if (FOREIGN.test(name)) Deno.env.delete(name);
  }
  const folder = await Deno.makeTempDir({ prefix: "streamrelay-site-" });
  const certificates = await makeCertificates(folder);
  const secret = crypto.randomUUID();
  const relay = await serveRelay({ port: 0, secret });
  const cuttable = await tcpProxy({ to: relay.port });
  const front = await tlsFront(cuttable.port, certificates);
  const jobUrl: Site["jobUrl"] = {
    direct: `ws://127.0.0.1:${cuttable.port}`,
    connect: `wss://127.0.0.1:${front.port}`,
    post: `ws://127.0.0.1:${cuttable.port}`,
  };
  const paths = new Map<NodeKind, string>();
  return {
    folder,
    certificates,
    jobUrl,
    async config(node, way, env = {}) {
      if (!paths.has(node)) {
        paths.set(node, await bareNode(`${folder}/node${paths.size}`, node.programs));
      }
      return {
        relay: { url: relay.url, token: secret, jobUrl: jobUrl[way] },
        env: { PATH: paths.get(node)!, ...env },
        encryption: node.encrypts ? "v2" : "off",
      };
    },
    cut() {
      cuttable.cut();
      cuttable.cutAfter(500);
    },
    get connections() {
      return cuttable.connections;
    },
    async [Symbol.asyncDispose]() {
      front.close();
      await cuttable.close();
      await relay.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}
