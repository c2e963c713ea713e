/** TLS of the relay's own. @module */
import { assertEquals } from "@std/assert";
import { serveRelay } from "../../../server/mod.ts";

/** A certificate for localhost, made by `openssl`; `undefined` where there is none. */
async function makeCertificate(): Promise<{ cert: string; key: string } | undefined> {
  const folder = await Deno.makeTempDir();
  try {
    const { success } = await new Deno.Command("openssl", {
      args:
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout key -out cert -days 2"
          .split(" ").concat(
            ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
            ["-addext", "basicConstraints=critical,CA:FALSE"],
          ),
      cwd: folder,
      stderr: "null",
    }).output();
    if (!success) return undefined;
    const [cert, key] = await Promise.all(
      ["cert", "key"].map((name) => Deno.readTextFile(`${folder}/${name}`)),
    );
    return { cert, key };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const certificate = await makeCertificate();

for (const transport of ["deno", "ws"] as const) {
  Deno.test({
    name: `tls - HTTP and WebSocket over the relay's own certificate [${transport}]`,
    ignore: certificate === undefined,
    async fn() {
      await using relay = await serveRelay({ port: 0, secret: "s", transport, ...certificate });
      assertEquals(relay.url, `wss://127.0.0.1:${relay.port}`);
      using client = Deno.createHttpClient({ caCerts: [certificate?.cert ?? ""] });
      const health = await fetch(`https://localhost:${relay.port}/health`, { client });
      assertEquals((await health.json()).status, "healthy");
      const socket = new WebSocket(`wss://localhost:${relay.port}/health`, { client });
      const closed = new Promise<number>((resolve) => socket.onclose = ({ code }) => resolve(code));
      let status = "";
      socket.onmessage = ({ data }) => status = JSON.parse(data).status;
      assertEquals([await closed, status], [1000, "healthy"]);
    },
  });
}
