/** An sshd that asks for a password, and counts how often. @module */
import { type SshServer, startSshServer } from "./ssh_server.ts";

/** The password of whoever logs in. */
export const PASSWORD = "tide";

/** A running sshd. */
export interface AskingSshServer extends AsyncDisposable {
  /** The server. */
  server: SshServer;
  /** A program that types the password, for where there is no terminal. */
  askpass: string;
  /** How often it has asked for a password. */
  prompts(): Promise<number>;
}

/**
 * Starts an sshd that asks through PAM, as sites with a second factor do. Root alone can.
 *
 * @param extra Further lines of sshd_config.
 * @returns The running server.
 */
export async function startAskingServer(extra = ""): Promise<AskingSshServer> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-asking-" });
  // PAM knows a service by the name of its program
  const service = `srt-sshd-${dir.slice(-8)}`;
  const pam = `/etc/pam.d/${service}`;
  const askpass = `${dir}/askpass`;
  await Deno.copyFile("/usr/sbin/sshd", `${dir}/${service}`);
  await executable(
    `${dir}/count`,
    `#!/bin/bash\necho asked >>${dir}/asked\n[ "$(tr -d '\\0')" = ${PASSWORD} ]\n`,
  );
  await executable(askpass, `#!/bin/bash\necho ${PASSWORD}\n`);
  await Deno.writeTextFile(
    pam,
    `auth required pam_exec.so expose_authtok ${dir}/count
auth optional pam_permit.so
account required pam_permit.so
session required pam_permit.so
`,
  );
  const server = await startSshServer({
    program: `${dir}/${service}`,
    extra: `UsePAM yes
KbdInteractiveAuthentication yes
PubkeyAuthentication no
PermitRootLogin yes
${extra}`,
  });
  return {
    server,
    askpass,
    async prompts() {
      const text = await Deno.readTextFile(`${dir}/asked`).catch(() => "");
      return text.split("\n").length - 1;
    },
    async [Symbol.asyncDispose]() {
      await server.stop();
      await Deno.remove(pam);
      await Deno.remove(dir, { recursive: true });
    },
  };
}

async function executable(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, 0o755);
}
