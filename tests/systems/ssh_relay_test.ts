/** How an ssh job reaches the relay. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { findLocalRelay, SshExecutor } from "../../adapters/mod.ts";
import { SshConnection } from "../../adapters/ssh/ssh_connection.ts";
import { type StatusEvent, StreamError, type TokenStream } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("ssh");
const sshConfig = Deno.env.get("STREAMRELAY_TEST_SSH");
const PORT = /through the ssh connection, at 127\.0\.0\.1:(\d+) of hpc/;

async function read(stream: TokenStream): Promise<{ text: string; submitted: StatusEvent }> {
  let text = "";
  let submitted: StatusEvent | undefined;
  for await (const event of stream.events()) {
    if (event.type === "token") text += event.content;
    else if (event.type === "status") submitted ??= event;
    else assertEquals(event.type, "done", JSON.stringify(event));
  }
  return { text, submitted: submitted! };
}

Deno.test({
  name: "ssh relay - nothing has to be configured: a relay here is led there, and that is said",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { dir } = fixture;
    const before = Deno.env.get("STREAMRELAY_STATE");
    Deno.env.set("STREAMRELAY_STATE", `${dir}/state`);
    try {
      const executor = new SshExecutor({ host: "hpc", sshConfig });
      const { text, submitted } = await read(
        executor.stream({ text: "echo $STREAMRELAY_URL; cat" }, "tide"),
      );
      const port = PORT.exec(submitted.reason ?? "")?.[1];
      assert(port, submitted.reason);
      assertEquals(text, `ws://127.0.0.1:${port}\ntide`);
      await SshConnection.to({ host: "hpc", config: sshConfig }).close();
    } finally {
      const relay = await findLocalRelay();
      if (relay) {
        Deno.kill(relay.pid, "SIGTERM");
        await until("the relay to end", async () => await findLocalRelay() === undefined);
      }
      if (before === undefined) Deno.env.delete("STREAMRELAY_STATE");
      else Deno.env.set("STREAMRELAY_STATE", before);
    }
  },
});

Deno.test({
  name: "ssh relay - jobs of one connection share a tunnel; a URL given for jobs is left alone",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, relay, secret } = fixture;
    const executor = new SshExecutor({ ...config, host: "hpc", sshConfig });
    const script = { text: "echo $STREAMRELAY_URL" };
    const [one, two] = await Promise.all([
      read(executor.stream(script)),
      read(executor.stream(script)),
    ]);
    assertEquals(one.text, two.text);
    const jobUrl = relay.url.replace("127.0.0.1", "localhost");
    const direct = await read(
      executor.stream(script, undefined, { relay: { url: relay.url, jobUrl, token: secret } }),
    );
    assertEquals(direct.text, `${jobUrl}\n`);
    assertEquals(direct.submitted.reason, undefined);
  },
});

Deno.test({
  name: "ssh relay - a host that forbids tunnels is told",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer({ extra: "AllowTcpForwarding no" });
    const { host, config: sshConfig } = server;
    const executor = new SshExecutor({ ...fixture.config, host, sshConfig });
    const error = await assertRejects(
      () => executor.stream({ text: "echo never" }).text(),
      StreamError,
      "Cannot lead hpc to the relay over ssh",
    );
    assertEquals(error.code, "submit_failed");
    assertStringIncludes(error.message, "relay.url");
  },
});

Deno.test({
  name: "ssh relay - a connection that the user shares already is used",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer();
    const { config, dir } = fixture;
    const own = `${dir}/ssh_config`;
    await Deno.writeTextFile(
      own,
      `${await Deno.readTextFile(server.config)}  ControlPath ${dir}/mine-%r\n`,
    );
    const login = await new Deno.Command("ssh", {
      args: ["-F", own, "-o", "ControlMaster=yes", "-o", "ControlPersist=60", "-N", "hpc"],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
    assertEquals(login.code, 0);
    // from here on nobody else could log in
    await Deno.writeTextFile(`${server.dir}/authorized_keys`, "");
    const executor = new SshExecutor({ ...config, host: server.host, sshConfig: own });
    assertEquals(await executor.stream({ text: "echo shared" }).text(), "shared\n");
  },
});

Deno.test({
  name: "ssh relay - output and error files are the host's",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const executor = new SshExecutor({
      ...config,
      host: "hpc",
      sshConfig,
      output: "it's out",
      error: `${dir}/err`,
    });
    await executor.stream({ text: "#!/bin/bash\necho out\necho err >&2" }).text();
    assertEquals(await Deno.readTextFile(`${dir}/it's out`), "out\n");
    assertEquals(await Deno.readTextFile(`${dir}/err`), "err\n");
    const both = executor.stream({ text: "echo out; echo err >&2; exit 5" }, undefined, {
      error: undefined,
      output: `${dir}/both`,
    });
    const error = await assertRejects(() => both.text(), StreamError);
    assertEquals([error.details.exitCode, error.details.stderr], [5, "err\n"]);
  },
});

Deno.test({
  name: "ssh relay - neither side's processes show a token, a value or the prompt",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, secret } = fixture;
    const executor = new SshExecutor({
      ...config,
      host: "hpc",
      sshConfig,
      env: { VALUE: "a-value" },
    });
    const seen = await executor.stream({ text: "ps axww -o args; cat >/dev/null" }, "the-prompt")
      .text();
    assertStringIncludes(seen, "bash -l -s");
    for (const hidden of ["a-value", "the-prompt", "eyJ", secret]) {
      assert(!seen.includes(hidden), hidden);
    }
  },
});

Deno.test({
  name: "ssh relay - more jobs than a host takes over one connection",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    await using server = await startSshServer({ extra: "MaxSessions 2" });
    const { config, dir } = fixture;
    const executor = new SshExecutor({ ...config, host: server.host, sshConfig: server.config });
    // each waits until all of them run
    const streams = [1, 2, 3, 4].map((n) =>
      executor.stream({
        text:
          `: >${dir}/${n}; until [ "$(ls ${dir} | wc -l)" -ge 4 ]; do sleep 0.1; done; echo ${n}`,
      })
    );
    const texts = await Promise.all(streams.map((stream) => stream.text()));
    assertEquals(texts, ["1\n", "2\n", "3\n", "4\n"]);
  },
});
