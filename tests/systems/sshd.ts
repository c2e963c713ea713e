/** A real sshd, for the suites that reach a machine over ssh. @module */
import { aptInstall } from "./apt_install.ts";
import { onPath } from "./on_path.ts";
import { type Provided, skipped } from "./provided.ts";
import { runCommand } from "./run_command.ts";
import { startSshServer } from "./ssh_server.ts";

const PLAIN_USER = "streamrelay-ssh";

/**
 * Starts a private sshd on 127.0.0.1, with a key of its own.
 *
 * @returns `STREAMRELAY_TEST_SSH`: the configuration of a client, in which the host is called `hpc`;
 * `STREAMRELAY_TEST_SSH_USER`, where there can be one: an unprivileged account to log in as.
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
      env: { STREAMRELAY_TEST_SSH: server.config, ...await plainUser() },
      stop: server.stop,
    };
  } catch (error) {
    return skipped("ssh", error);
  }
}

/** An account without password or home; it is left in place, as packages are. */
async function plainUser(): Promise<Record<string, string>> {
  if (Deno.uid() !== 0) return {};
  if ((await runCommand(["id", "-u", PLAIN_USER])).code !== 0) {
    const account = ["--system", "--shell", "/bin/bash", "--home-dir", "/tmp", PLAIN_USER];
    await runCommand(["useradd", ...account]);
    // an account without any password is locked to sshd, one with a password that nobody has is not
    await runCommand(["usermod", "-p", "*", PLAIN_USER]);
  }
  const { code } = await runCommand(["id", "-u", PLAIN_USER]);
  return code === 0 ? { STREAMRELAY_TEST_SSH_USER: PLAIN_USER } : {};
}
