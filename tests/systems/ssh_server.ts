/** A private sshd, and a client's configuration for it. @module */
import { runCommand } from "./run_command.ts";

/** Options of {@linkcode startSshServer}. */
export interface SshServerOptions {
  /** Further lines of sshd_config; they win. */
  extra?: string;
  /** Who can log in; the caller's user by default. Another one only for root. */
  user?: string;
  /** The program; Debian's sshd by default. */
  program?: string;
  /** What is put before the command that starts it, such as one that gives it mounts of its own. */
  within?: readonly string[];
}

/** A running sshd. */
export interface SshServer extends AsyncDisposable {
  /** What the host is called in the client's configuration. */
  host: string;
  /** The client's configuration. */
  config: string;
  /** Its folder; the log is `sshd.log`. */
  dir: string;
  /** Stops it, and its sessions, by their ids, and removes its folder. */
  stop(): Promise<void>;
}

/**
 * Starts an sshd of its own in a temporary folder, listening on 127.0.0.1 only. One user can log in
 * with a key made for it.
 *
 * @param options What is special about it.
 * @returns The running server.
 * @throws {Error} if it doesn't come up.
 */
export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-sshd-" });
  const stop = async () => {
    await runCommand(["bash", script("sshd-down.sh"), dir, "--purge"]);
  };
  const user = options.user === undefined ? [] : [options.user];
  const command = [...options.within ?? [], "bash", script("sshd-up.sh"), dir, ...user];
  const { code, stderr } = await runCommand(command, {
    env: {
      SSHD_EXTRA: options.extra ?? "",
      ...(options.program && { SSHD: options.program }),
    },
  });
  if (code !== 0) {
    await stop();
    throw new Error(`Cannot start sshd: ${stderr.trim()}`);
  }
  return {
    host: "hpc",
    config: `${dir}/ssh_config`,
    dir,
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function script(name: string): string {
  return new URL(name, import.meta.url).pathname;
}
