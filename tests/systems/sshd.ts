/** A real sshd, for the suites that reach a machine over ssh. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";
import { startSshServer } from "./ssh_server.ts";

/**
 * Starts a private sshd on 127.0.0.1, with a key of its own.
 *
 * @returns `STREAMRELAY_TEST_SSH`: the configuration of a client, in which the host is called `hpc`.
 */
export async function provideSsh(): Promise<Provided> {
  const lack = await aptInstall(["ssh", "sshd"], ["openssh-client", "openssh-server"]);
  if (lack) return skipped("ssh", lack);
  try {
    const server = await startSshServer();
    const { stderr } = await runCommand([onPath("ssh")!, "-V"]);
    return {
      name: "ssh",
      kind: "real",
      reason: stderr.trim().split(",")[0],
      env: { STREAMRELAY_TEST_SSH: server.config },
      stop: server.stop,
    };
  } catch (error) {
    return skipped("ssh", error);
  }
}
