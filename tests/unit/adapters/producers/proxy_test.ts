/** Producers behind an HTTP proxy, as compute nodes often are. @module */
import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { assertEquals } from "@std/assert";
import { openChannel } from "./open_channel.ts";
import { PRODUCER_KINDS } from "./producer_kinds.ts";
import { runProducer } from "./run_producer.ts";

/** A forward proxy for plain HTTP that wants a password, and knows one host only. */
async function forwardProxy(port: number) {
  const seen: string[] = [];
  const server = createServer((asked, answer) => {
    const { method, headers, url = "" } = asked;
    seen.push(url);
    const { host, pathname } = new URL(url);
    const secret = `Basic ${btoa("me:p@ss")}`;
    if (host !== "relay.invalid" || headers["proxy-authorization"] !== secret) {
      answer.writeHead(403).end("<html>no");
      return;
    }
    const onward = request({ port, host: "127.0.0.1", method, path: pathname, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers);
      got.pipe(answer);
    });
    asked.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://me:p%40ss@127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

for (const kind of PRODUCER_KINDS) {
  Deno.test(
    { name: `producer, ${kind.name} - streams through a plain proxy`, ignore: kind.ignore },
    async () => {
      await using open = await openChannel();
      const proxy = await forwardProxy(open.proxy.port);
      const env = {
        http_proxy: proxy.url,
        no_proxy: "localhost",
        STREAMRELAY_URL: "ws://relay.invalid",
      };
      try {
        const producer = await runProducer(kind, open, ["pipe", "--eof-is-done"], env);
        await producer.write("through é");
        await producer.conclude();
        const { code, stderr } = await producer.ended;
        assertEquals({ code, stderr }, { code: 0, stderr: "" });
        await open.events;
        assertEquals(open.received(), "through é");
        assertEquals(new URL(proxy.seen.at(-1)!).host, "relay.invalid");
      } finally {
        await proxy.close();
      }
    },
  );
}
