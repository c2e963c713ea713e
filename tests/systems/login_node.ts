/** A login node of the test's own, which knows a Slurm cluster that this side does not. @module */
import { type SshServer, startSshServer } from "./ssh_server.ts";

/**
 * Starts an sshd before a file's tests and stops it behind them. Meanwhile this side has no `SLURM_CONF`.
 *
 * @param ignore Whether the tests are left out.
 * @param more Gives further variables of the login's environment, `NAME=VALUE`.
 * @returns The server, once a test runs, and the cluster's configuration.
 */
export function loginNode(
  ignore: boolean,
  more: () => Promise<string> = () => Promise.resolve(""),
): { readonly server: SshServer; readonly conf: string } {
  const conf = Deno.env.get("SLURM_CONF") ?? "";
  let server: SshServer | undefined;
  Deno.test.beforeAll(async () => {
    if (ignore) return;
    server = await startSshServer({ extra: `SetEnv SLURM_CONF=${conf} ${await more()}` });
    Deno.env.delete("SLURM_CONF");
  });
  Deno.test.afterAll(async () => {
    if (ignore) return;
    Deno.env.set("SLURM_CONF", conf);
    await server?.stop();
  });
  return {
    conf,
    get server(): SshServer {
      if (!server) throw new Error("The login node is there while tests run only");
      return server;
    },
  };
}
