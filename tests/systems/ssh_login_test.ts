/** Logins: sites that allow one command only, questions for a password, hosts that can't be had. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { PbsExecutor, SlurmExecutor, SshExecutor } from "../../adapters/mod.ts";
import { SshConnection } from "../../adapters/ssh/ssh_connection.ts";
import { programRunner } from "../../adapters/ssh/ssh_programs.ts";
import { StreamError } from "../../stream/mod.ts";
import { startAskingServer } from "./asking_ssh_server.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("ssh");
const user = Deno.env.get("STREAMRELAY_TEST_SSH_USER");
const sshConfig = Deno.env.get("STREAMRELAY_TEST_SSH");

Deno.test({
  name: "ssh login - a site that allows one command only is enough",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    await executable(
      `${dir}/force`,
      `#!/bin/bash
printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>${dir}/commands
echo 'Welcome to the cluster'; echo 'Be kind' >&2
case $SSH_ORIGINAL_COMMAND in 'bash -l -s') exec bash -l -s ;; esac
echo "not allowed: $SSH_ORIGINAL_COMMAND" >&2; exit 1
`,
    );
    await using server = await startSshServer({ extra: `ForceCommand ${dir}/force` });
    const executor = new SshExecutor({ ...config, host: server.host, sshConfig: server.config });
    assertEquals(await executor.stream({ text: "tr a-z A-Z" }, "tide").text(), "TIDE");
    const error = await assertRejects(
      () => executor.stream({ text: "echo hm >&2; exit 3" }).text(),
      StreamError,
    );
    assertEquals([error.details.exitCode, error.details.stderr], [3, "hm\n"]);
    const programs = programRunner({ ssh: server.host, config: server.config });
    assertEquals(await programs.run("echo", ["a  b\n"]), {
      code: 0,
      stdout: "a  b\n\n",
      stderr: "",
    });
    const commands = (await Deno.readTextFile(`${dir}/commands`)).trim().split("\n");
    assertEquals([...new Set(commands)], ["bash -l -s"]);
  },
});

Deno.test({
  name: "ssh login - another user's host, with another user's rights",
  ignore: ignore || user === undefined,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer({ user });
    const { host, config: sshConfig } = server;
    const executor = new SshExecutor({ ...fixture.config, host, sshConfig, workdir: "/" });
    assertEquals(await executor.stream({ text: "id -un; cat" }, "tide").text(), `${user}\ntide`);
    const stream = executor.stream({ text: "#!/bin/bash\necho $PPID\nexec sleep 60" });
    let owner: number | null = 0;
    for await (const pid of stream) {
      owner = (await Deno.stat(`/proc/${pid.trim()}`)).uid;
      await stream.cancel();
    }
    assert(owner, "it is not root's");
    assertEquals((await stream.result).reason, "cancelled");
  },
});

Deno.test({
  name: "ssh login - a site that refuses our command is quoted",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { dir } = fixture;
    await executable(`${dir}/force`, "#!/bin/bash\necho 'no shells here' >&2; exit 1\n");
    await using server = await startSshServer({ extra: `ForceCommand ${dir}/force` });
    const { host, config: sshConfig } = server;
    const error = await assertRejects(
      () => new SshExecutor({ ...fixture.config, host, sshConfig }).stream({ text: "true" }).text(),
      StreamError,
      "no shells here",
    );
    assertEquals(error.code, "submit_failed");
  },
});

Deno.test({
  name: "ssh login - a login that speaks, and a program's own 255, confuse nobody",
  ignore,
  async fn() {
    await using server = await startSshServer();
    const programs = programRunner({ ssh: server.host, config: server.config });
    const { code, stdout, stderr } = await programs.run("sh", [
      "-c",
      "echo out; echo err >&2; exit 255",
    ]);
    assertEquals([code, stdout, stderr], [255, "out\n", "err"]);
    const nobody = `${server.dir}/nobody`;
    await Deno.writeTextFile(nobody, "Host hpc\n  HostName 127.0.0.1\n  Port 9\n");
    const error = await assertRejects(
      () => programRunner({ ssh: "hpc", config: nobody }).run("true", []),
      StreamError,
    );
    assertEquals(error.code, "unreachable");
    assertStringIncludes(error.message, "Connection refused");
  },
});

Deno.test({
  name: "ssh login - hosts and keys that can't be are told in ssh's words",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = (config: object) =>
      new SshExecutor({ ...fixture.config, host: "hpc", sshConfig, ...config })
        .stream({ text: "echo never" }).text();
    const lost = await assertRejects(() => stream({ host: "no-such-host.invalid" }), StreamError);
    assertEquals(lost.code, "unreachable");
    assertStringIncludes(lost.message, "Could not resolve hostname no-such-host.invalid");

    await using server = await startSshServer();
    await Deno.writeTextFile(`${server.dir}/authorized_keys`, "");
    const refused = await assertRejects(
      () => stream({ sshConfig: server.config, interactive: false }),
      StreamError,
    );
    assertEquals(refused.code, "unauthorized");
    assertStringIncludes(refused.message, "Permission denied (publickey)");
    assertStringIncludes(refused.message, "nobody could be asked");

    const missing = await assertRejects(
      () => stream({ program: "/no/such/ssh" }),
      StreamError,
      "/no/such/ssh was not found",
    );
    assertEquals(missing.code, "submit_failed");
  },
});

Deno.test("ssh login - options that could become something else are refused", () => {
  const hosts = [
    "",
    "-oProxyCommand=x",
    "a b",
    "a\nb",
    "a\0b",
    "$(x)",
    "a;b",
    "me@-x",
    "`x`",
    "a'",
  ];
  for (const host of hosts) {
    for (const make of [() => new SshExecutor({ host }), () => via(host)]) {
      const error = assertThrowsStreamError(make);
      assertEquals(error.code, "bad_request");
      assertStringIncludes(error.message, "ssh host");
    }
  }
  for (
    const config of [{ sshConfig: "a\nb" }, { program: "" }, { persist: 0.5 }, { output: "a\0" }]
  ) {
    assertEquals(
      assertThrowsStreamError(() => new SshExecutor({ host: "h", ...config })).code,
      "bad_request",
    );
  }
});

Deno.test("ssh login - another machine for one call is refused", async () => {
  const executors = [
    new SshExecutor({ host: "one" }).stream({ text: "true" }, "", { host: "two" }),
    new SlurmExecutor({ via: { ssh: "one" } }).stream({ text: "true" }, "", {
      via: { ssh: "two" },
    }),
    new PbsExecutor().stream({ text: "true" }, "", { via: { ssh: "two" } }),
  ];
  for (const stream of executors) {
    const error = await assertRejects(() => stream.text(), StreamError, "for one call");
    assertEquals(error.code, "bad_request");
  }
});

Deno.test({
  name: "ssh login - a job that nobody stays for is refused",
  async fn() {
    const error = await assertRejects(
      () => new SshExecutor({ host: "hpc" }).submit({ text: "true" }),
      StreamError,
      "ends with its connection",
    );
    assertEquals(error.code, "unsupported");
  },
});

Deno.test({
  name: "ssh login - a password is asked for once, and never when nobody is there",
  ignore: ignore || Deno.uid() !== 0,
  async fn() {
    await using fixture = await executorFixture();
    const { config } = fixture;
    await using asking = await startAskingServer();
    const { server, prompts } = asking;
    // what the person types, where there is no terminal
    Deno.env.set("SSH_ASKPASS", asking.askpass);
    Deno.env.set("SSH_ASKPASS_REQUIRE", "force");
    using _ = {
      [Symbol.dispose]() {
        Deno.env.delete("SSH_ASKPASS");
        Deno.env.delete("SSH_ASKPASS_REQUIRE");
      },
    };
    const host = { host: server.host, sshConfig: server.config };
    const executor = new SshExecutor({ ...config, ...host, interactive: true });
    for (const word of ["one", "two"]) {
      assertEquals(await executor.stream({ text: `echo ${word}` }).text(), `${word}\n`);
    }
    const via = { ssh: server.host, config: server.config, interactive: true };
    await programRunner(via).run("true", []);
    assertEquals(await prompts(), 1);

    // in the night the connection breaks: it is told, and nobody's telephone rings
    await SshConnection.to({ host: server.host, config: server.config }).close();
    const error = await assertRejects(
      () => executor.stream({ text: "echo three" }).text(),
      StreamError,
    );
    assertEquals(error.code, "unauthorized");
    assertStringIncludes(error.message, "keyboard-interactive");
    assertStringIncludes(error.message, "ControlPersist=");
    assertEquals(await prompts(), 1);
  },
});

function via(ssh: string): SlurmExecutor {
  return new SlurmExecutor({ via: { ssh } });
}

function assertThrowsStreamError(body: () => unknown): StreamError {
  try {
    body();
  } catch (error) {
    assert(error instanceof StreamError, String(error));
    return error;
  }
  throw new Error("Nothing was thrown");
}

async function executable(path: string, text: string): Promise<void> {
  await Deno.writeTextFile(path, text);
  await Deno.chmod(path, 0o755);
}
