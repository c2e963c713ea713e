/** Three real HTTP proxies, as sites have them before their compute nodes. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";
import { type Squid, startSquid } from "./squid.ts";

/** What each of them allows. */
const RULES = {
  connect: ["http_access allow CONNECT", "http_access deny all"],
  post: ["acl post method POST", "http_access allow post", "http_access deny all"],
  login: [
    "auth_param basic program /usr/lib/squid/basic_ncsa_auth %/users",
    "acl known proxy_auth REQUIRED",
    "http_access allow known",
    "http_access deny all",
  ],
};

/**
 * Starts squid three times: one that allows only CONNECT, one that allows only POST, and one that wants
 * a login, `user` with the password `a@b:c`.
 *
 * @returns `STREAMRELAY_TEST_PROXY`, a JSON object with `connect`, `post` and `login`: the URL of each,
 * and its log.
 */
export async function provideProxy(): Promise<Provided> {
  const lack = await aptInstall(["squid", "openssl", "curl"], ["squid", "openssl", "curl"]);
  if (lack) return skipped("proxy", lack);
  const squid = onPath("squid") ?? "squid";
  const folder = await Deno.makeTempDir({ prefix: "streamrelay-proxy-" });
  const running: Squid[] = [];
  const stop = async () => {
    for (const proxy of running) await proxy.stop();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    // as root, squid becomes that user, who has to write there
    if (Deno.uid() === 0) await runCommand(["chown", "proxy:", folder]);
    const proxies: Record<string, { url: string; log: string }> = {};
    const password = await runCommand(["openssl", "passwd", "-apr1", "a@b:c"]);
    await Deno.writeTextFile(`${folder}/users`, `user:${password.stdout}`);
    for (const [name, lines] of Object.entries(RULES)) {
      const rules = lines.map((line) => line.replace("%", folder));
      const proxy = await startSquid({ program: squid, stem: `${folder}/${name}`, rules });
      running.push(proxy);
      proxies[name] = { url: proxy.url, log: proxy.log };
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
