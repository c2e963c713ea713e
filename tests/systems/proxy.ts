/** Two real HTTP proxies, as sites have them before their compute nodes. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";

/** What each of them allows. */
const RULES = {
  connect: ["http_access allow CONNECT", "http_access deny all"],
  post: ["acl post method POST", "http_access allow post", "http_access deny all"],
};

/**
 * Starts squid twice: one that allows only CONNECT, one that allows only POST.
 *
 * @returns `STREAMRELAY_TEST_PROXY`, a JSON object with `connect` and `post`: the URL of each, and its log.
 */
export async function provideProxy(): Promise<Provided> {
  const lack = await aptInstall(["squid", "openssl", "curl"], ["squid", "openssl", "curl"]);
  if (lack) return skipped("proxy", lack);
  const squid = onPath("squid") ?? "squid";
  const folder = await Deno.makeTempDir({ prefix: "streamrelay-proxy-" });
  const children: Deno.ChildProcess[] = [];
  const stop = async () => {
    for (const child of children) {
      try {
        child.kill("SIGTERM");
      } catch {
        // it has ended by itself
      }
      await child.status;
    }
    await Deno.remove(folder, { recursive: true });
  };
  try {
    // as root, squid becomes that user, who has to write there
    if (Deno.uid() === 0) await runCommand(["chown", "proxy:", folder]);
    const proxies: Record<string, { url: string; log: string }> = {};
    for (const [name, rules] of Object.entries(RULES)) {
      const port = freePort();
      const conf = `${folder}/${name}.conf`;
      await Deno.writeTextFile(conf, configuration(`${folder}/${name}`, port, rules));
      const child = new Deno.Command(squid, {
        args: ["-N", "-f", conf],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      children.push(child);
      await listening(port, child);
      proxies[name] = { url: `http://127.0.0.1:${port}`, log: `${folder}/${name}.log` };
    }
    const { stdout } = await runCommand([squid, "-v"]);
    return {
      name: "proxy",
      kind: "real",
      reason: stdout.split("\n")[0].replace("Squid Cache: Version", "squid"),
      env: { STREAMRELAY_TEST_PROXY: JSON.stringify(proxies) },
      stop,
    };
  } catch (error) {
    await stop();
    return skipped("proxy", error);
  }
}

function configuration(stem: string, port: number, rules: readonly string[]): string {
  return [
    `http_port 127.0.0.1:${port}`,
    ...rules,
    `pid_filename ${stem}.pid`,
    `access_log stdio:${stem}.log`,
    `cache_log ${stem}.cache.log`,
    "cache deny all",
    "pinger_enable off",
    "shutdown_lifetime 0 seconds",
    "",
  ].join("\n");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function listening(port: number, child: Deno.ChildProcess): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  for (const over = Date.now() + 30_000; Date.now() < over && !ended;) {
    try {
      using _connection = await Deno.connect({ hostname: "127.0.0.1", port });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`squid ${ended ? "ended at once" : "does not listen"}`);
}
