/** A relay on a login node: real sshd, real Slurm behind it. @module */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { LocalExecutor, type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { until } from "../tools/until.ts";
import { person } from "./command_line.ts";
import { QUICK } from "./executor_fixture.ts";
import { loginNode } from "./login_node.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm", "ssh", "node22");
const node = Deno.env.get("STREAMRELAY_TEST_NODE22");
let dir = "";

const login = loginNode(ignore, async () => {
  dir = await Deno.makeTempDir({ prefix: "streamrelay-test-" });
  await Deno.mkdir(`${dir}/tmp`);
  await Deno.mkdir(`${dir}/work`);
  // what a relay leaves there is told from what others do
  return `TMPDIR=${dir}/tmp`;
});

Deno.test.afterAll(async () => {
  if (!ignore) await Deno.remove(dir, { recursive: true });
});

function configOf(more: SlurmConfig = {}): SlurmConfig {
  return {
    relay: "via",
    via: { ssh: login.server.host, config: login.server.config },
    workdir: `${dir}/work`,
    record: false,
    timings: QUICK,
    ...more,
    // a login shell need not find it
    embedded: { runtime: Deno.execPath(), ...more.embedded },
  };
}

/** The command lines of relays that were started on the login node. */
function relays(): string[] {
  const found: string[] = [];
  for (const { name } of Deno.readDirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const line = Deno.readTextFileSync(`/proc/${name}/cmdline`);
      if (line.includes(`${dir}/tmp/`) && line.includes("/relay.js\0")) found.push(line);
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}

async function nothingIsLeft(): Promise<void> {
  await until("the relay has ended", () => relays().length === 0);
  await until("its folder is gone", () =>
    [...Deno.readDirSync(`${dir}/tmp`)].every(({ name }) => {
      try {
        return [...Deno.readDirSync(`${dir}/tmp/${name}`)].every((file) =>
          file.name !== "relay.js"
        );
      } catch {
        return true;
      }
    }));
}

/** A process that submits, and reads. */
function submitter(script: string, config: SlurmConfig): Deno.ChildProcess {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", new URL("supervisor_child.ts", import.meta.url).pathname],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  new Blob([JSON.stringify({ script, config })]).stream().pipeTo(child.stdin);
  return child;
}

for (const runtime of [Deno.execPath(), node]) {
  Deno.test({
    name: `relay via - it is started on the login node, by ${
      runtime === node ? "node 22" : "deno"
    }, and ends with the process`,
    ignore,
    async fn() {
      const script = `#!/bin/bash
echo $STREAMRELAY_URL; until [ -e ${dir}/go ]; do sleep 0.05; done; seq 1 1000`;
      const child = submitter(script, configOf({ embedded: { runtime } }));
      const [reader, copy] = child.stdout.tee();
      const done = new Response(copy).text();
      for await (const text of reader.pipeThrough(new TextDecoderStream())) {
        if (!text.includes("ws://")) continue;
        const [line, ...others] = relays();
        assert(line, "a relay runs");
        assertEquals(others, []);
        // its secret goes in on standard input
        assert(!/[0-9a-f]{32}/.test(line.replaceAll(/-[0-9a-f-]{36}/g, "")), line);
        await Deno.writeTextFile(`${dir}/go`, "");
      }
      assertEquals((await child.status).code, 0);
      const events = (await done).trim().split("\n").map((line) => JSON.parse(line));
      const text = events.map(({ content }) => content ?? "").join("");
      assertStringIncludes(text, "ws://127.0.0.1:", JSON.stringify(events.at(-1)));
      assertStringIncludes(text, "\n999\n1000\n");
      assertEquals(events.at(-1).type, "done");
      await nothingIsLeft();
      await Deno.remove(`${dir}/go`);
    },
  });
}

Deno.test({
  name: "relay via - a submitting process that is killed leaves none behind",
  ignore,
  async fn() {
    const child = submitter("#!/bin/bash\necho go\nexec sleep 60", configOf());
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      if (!text.includes('"go')) continue;
      assertEquals(relays().length, 1);
      child.kill("SIGKILL");
    }
    await child.status;
    await nothingIsLeft();
  },
});

Deno.test({
  name: "relay via - runs of a process share one, which ends when it is idle",
  ignore,
  async fn() {
    const executor = new SlurmExecutor(configOf({ embedded: { idleExit: 1 } }));
    const [one, two] = await Promise.all([
      executor.stream({ text: "cat; echo $STREAMRELAY_URL" }, "one\n").text(),
      executor.stream({ text: "cat; echo $STREAMRELAY_URL" }, "two\n").text(),
    ]);
    assertEquals(one.replace("one", "two"), two);
    await nothingIsLeft();
    // the next run finds that out, and has another one
    const three = await executor.stream({ text: "cat; echo $STREAMRELAY_URL" }, "two\n").text();
    assert(three !== two);
    await nothingIsLeft();
  },
});

Deno.test({
  name: "relay via - with the connection the relay ends, and the stream says so at once",
  ignore,
  async fn() {
    const config = `${dir}/ssh_config`;
    await Deno.writeTextFile(
      config,
      `ControlPath ${dir}/master\n${await Deno.readTextFile(login.server.config)}`,
    );
    const executor = new SlurmExecutor(configOf({ via: { ssh: login.server.host, config } }));
    const stream = executor.stream({ text: "#!/bin/bash\necho go\nexec sleep 20" });
    const error = await assertRejects(async () => {
      for await (const _ of stream) {
        const { stderr } = await runCommand([
          "ssh",
          "-F",
          config,
          "-O",
          "check",
          login.server.host,
        ]);
        Deno.kill(Number(/pid=(\d+)/.exec(stderr)?.[1]), "SIGKILL");
      }
    }, StreamError);
    assertEquals(error.code, "unreachable");
    assertStringIncludes(error.message, "what it prints is in its output file");
    assertEquals((await stream.result).reason, "unreachable");
    await nothingIsLeft();
    await runCommand(["scancel", stream.job.id!], { env: { SLURM_CONF: login.conf } });
    await runCommand(["ssh", "-F", config, "-O", "exit", login.server.host]);
  },
});

Deno.test({
  name: "relay via - what is missing is told",
  ignore,
  async fn() {
    const told = async (config: SlurmConfig) => {
      const error = await assertRejects(
        () => new SlurmExecutor(config).stream({ text: "echo never" }).text(),
        StreamError,
      );
      return `${error.code}: ${error.message}`;
    };
    assertStringIncludes(
      await told(configOf({ embedded: { runtime: "/no/such/deno" } })),
      "unsupported: Cannot start a relay on hpc: /no/such/deno is not there or too old",
    );
    assertStringIncludes(
      await told(configOf({ embedded: { interface: "nowhere0" } })),
      "nowhere0",
    );
    assertStringIncludes(await told(configOf({ via: undefined })), "bad_request");
    await assertRejects(
      () => new SlurmExecutor(configOf()).submit({ text: "echo never" }),
      StreamError,
      "Cannot leave a job",
    );
    await assertRejects(
      () => new LocalExecutor({ relay: "via", record: false }).stream({ text: "true" }).text(),
      StreamError,
      "expected via",
    );
    await nothingIsLeft();
  },
});

Deno.test({
  name: "relay via - from the command line, which refuses to leave a job with it",
  ignore,
  async fn() {
    await using me = await person();
    const job = await me.script("cat; echo and more");
    const run = ["run", "slurm", job, "--workdir", `${dir}/work`];
    const way = ["--via", login.server.host, "--ssh-config", login.server.config, "--relay", "via"];
    await me.profiles({ login: { embedded: { runtime: Deno.execPath() } } });
    way.push("--profile", "login");
    const { code, stdout, stderr } = await me.run([...run, ...way], { stdin: "a prompt\n" });
    assertEquals({ code, stdout }, { code: 0, stdout: "a prompt\nand more\n" }, stderr);
    await nothingIsLeft();
    const left = await me.run([...run, ...way, "--detach"], { stdin: "a prompt\n" });
    assert(left.code !== 0);
    assertStringIncludes(left.stderr, "Cannot leave a job");
    const both = await me.run([...run, ...way, "--url", "ws://relay"], { stdin: "" });
    assertStringIncludes(both.stderr, "Cannot use --relay with --url");
  },
});
