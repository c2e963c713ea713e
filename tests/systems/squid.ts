/** A squid of a test's own. @module */

/** Where one is started. */
export interface SquidOptions {
  /** The program. */
  program: string;
  /** The beginning of the paths of its files. */
  stem: string;
  /** The address that it listens on; loopback by default. */
  hostname?: string;
  /** Lines of squid.conf: whom it serves. */
  rules: readonly string[];
}

/** A squid that listens. */
export interface Squid {
  /** Its URL. */
  url: string;
  /** Its access log. */
  log: string;
  /** Ends it. */
  stop(): Promise<void>;
}

/**
 * Starts squid on a free port.
 *
 * @param options Where, and whom it serves.
 * @returns The proxy.
 * @throws {Error} if it doesn't come up.
 */
export async function startSquid(options: SquidOptions): Promise<Squid> {
  const { program, stem, hostname = "127.0.0.1", rules } = options;
  const port = freePort(hostname);
  await Deno.writeTextFile(`${stem}.conf`, configuration(stem, `${hostname}:${port}`, rules));
  const child = new Deno.Command(program, {
    args: ["-N", "-f", `${stem}.conf`],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended by itself
    }
    await child.status;
  };
  try {
    await listening(hostname, port, child);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${hostname}:${port}`, log: `${stem}.log`, stop };
}

function configuration(stem: string, place: string, rules: readonly string[]): string {
  return [
    `http_port ${place}`,
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

function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

async function listening(
  hostname: string,
  port: number,
  child: Deno.ChildProcess,
): Promise<void> {
  let ended = false;
  child.status.then(() => ended = true);
  for (const over = Date.now() + 30_000; Date.now() < over && !ended;) {
    try {
      using _connection = await Deno.connect({ hostname, port });
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  throw new Error(`squid ${ended ? "ended at once" : "does not listen"}`);
}
