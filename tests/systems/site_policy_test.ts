/** A site's policy is obeyed by the command line and by the library, and named where it refuses. @module */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Executor, SlurmExecutor, SshExecutor, StreamError } from "../../adapters/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { type Person, person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";
import { type SiteMachine, siteMachine } from "./site_machine.ts";
import { startSshServer } from "./ssh_server.ts";

const { ignore } = needs("mounts");
const { ignore: noSlurm } = needs("mounts", "slurm");
const { ignore: noSsh } = needs("mounts", "slurm", "ssh");
const FILE = "/etc/streamrelay/policy.json";
const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const CHILD = new URL("site_policy_child.ts", import.meta.url).pathname;

/** Whatever somebody could say in the hope to be bound by less. */
const LOOSER = (home: string) => ({
  HOME: home,
  XDG_CONFIG_HOME: `${home}/other`,
  XDG_CONFIG_DIRS: `${home}/other`,
  XDG_STATE_HOME: `${home}/other`,
  STREAMRELAY_STATE: `${home}/other`,
  STREAMRELAY_POLICY: `${home}/none.json`,
});

/** Somebody on a machine, who has a script and a relay of the site's. */
async function worker(site: SiteMachine): Promise<Person> {
  const somebody = await person([...site.command, Deno.execPath(), "run", "-A", "--quiet", CLI]);
  await Deno.writeTextFile(`${somebody.home}/job.sh`, "#!/bin/bash\necho ran\n");
  return somebody;
}

/** What a program of the library's user says. */
async function library(
  site: SiteMachine,
  what: { kind?: string; config: unknown; array?: string },
) {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-home-" });
  try {
    const { stdout, stderr } = await runCommand([
      ...site.command,
      Deno.execPath(),
      "run",
      "-A",
      "--quiet",
      CHILD,
    ], { stdin: JSON.stringify(what), env: { DENO_DIR: denoDir(), ...LOOSER(dir) } });
    assert(stdout !== "", stderr);
    return JSON.parse(stdout);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A home that isn't one's own has nothing of what Deno has downloaded. */
function denoDir(): string {
  const { stdout } = new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).outputSync();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

Deno.test({
  name: "site policy - run: a relay or no encryption that the site forbids, whatever the user says",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({
      allowedRelays: [`ws://127.0.0.1:${relay.port}`],
      requireEncryption: true,
    });
    await using somebody = await worker(site);
    const run = (args: string[], env: Record<string, string> = {}) =>
      somebody.run(["run", "local", `${somebody.home}/job.sh`, "--no-prompt", ...args], { env });
    const here = { STREAMRELAY_URL: relay.url, STREAMRELAY_TOKEN: secret };
    assertEquals(await run([], here), { code: 0, stdout: "ran\n", stderr: "" });
    for (
      const [args, env, words] of [
        [["--url", "wss://relay.example.org"], {}, "relay wss://relay.example.org: "],
        [[], { STREAMRELAY_URL: "wss://relay.example.org" }, "relay wss://relay.example.org: "],
        [["--job-url", "ws://10.0.0.1:1"], here, "relay ws://10.0.0.1:1: "],
        [[], {}, "relay embedded: "],
        [["--encryption", "off"], here, 'encryption "off": '],
      ] as [string[], Record<string, string>, string][]
    ) {
      const loose = { ...LOOSER(somebody.home), DENO_DIR: denoDir(), ...env };
      const { code, stdout, stderr } = await run(args, loose);
      assertEquals([code, stdout], [20, ""], stderr);
      assertStringIncludes(stderr, words);
      assertMatch(stderr, /^streamrelay: [^\n]*the site's policy [^\n]*\[policy\]\n$/);
      assertStringIncludes(stderr, FILE);
    }
  },
});

Deno.test({
  name: "site policy - the library obeys it, too",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({ allowedRelays: ["wss://*.example.edu"] });
    const config = { relay: { url: relay.url, token: secret } };
    const refused = await library(site, { config });
    assertEquals([refused.code, refused.message], [
      "policy",
      `Cannot use relay ${relay.url}: the site's policy ${FILE} has allowedRelays = wss://*.example.edu`,
    ]);
    await site.write("policy.json", { requireEncryption: true });
    assertEquals(await library(site, { config }), { text: "hello", every: 30_000 });
    const plain = await library(site, { config: { ...config, encryption: "off" } });
    assertEquals(plain.code, "policy");
    assertStringIncludes(plain.message, FILE);
    await site.write("policy.json", { minPollInterval: 600 });
    const eager = { ...config, timings: { pollEvery: 10, pollAtMost: 10 } };
    assertEquals(await library(site, { config: eager }), { text: "hello", every: 600_000 });
  },
});

Deno.test({
  name: "site policy - what can't be read allows nothing",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    const config = { relay: { url: relay.url, token: secret } };
    for (const broken of ["{", '{"maxJobs": "four"}', ""]) {
      await using site = await siteMachine(broken);
      const { code, message } = await library(site, { config });
      assertEquals(code, "policy");
      assert(message.startsWith(`Cannot submit jobs under the site's policy ${FILE}: `), message);
    }
    await using site = await siteMachine();
    assertEquals((await library(site, { config })).text, "hello");
    // root may read every file; nobody can read a folder as one
    await Deno.mkdir(`${site.files}/policy.json`);
    const { code, message } = await library(site, { config });
    assertEquals(code, "policy");
    assertMatch(message, /policy\.json: .*directory.*, expected a file that its users can read$/);
  },
});

Deno.test({
  name: "site policy - a cap on jobs holds over all of a user's processes",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({ maxJobs: 1, maxJobsPerHour: 2 });
    await using somebody = await worker(site);
    const env = { STREAMRELAY_URL: relay.url, STREAMRELAY_TOKEN: secret };
    const slow = `${somebody.home}/slow.sh`;
    await Deno.writeTextFile(slow, "#!/bin/bash\necho began; until [ -e go ]; do sleep 0.02; done");
    const first = somebody.start(["run", "local", slow, "--no-prompt"], { env });
    await first.printed("began\n");
    const again = () =>
      somebody.run(["run", "local", `${somebody.home}/job.sh`, "--no-prompt"], {
        env: { ...env, ...LOOSER(somebody.home), DENO_DIR: denoDir() },
      });
    const refused = await again();
    assertEquals([refused.code, refused.stdout], [23, ""]);
    assertMatch(
      refused.stderr,
      /policy \/etc\/streamrelay\/policy\.json has maxJobs = 1 \[limit\]/,
    );
    await Deno.writeTextFile(`${somebody.home}/go`, "");
    assertEquals((await first.outcome).code, 0);
    assertEquals((await again()).stdout, "ran\n");
    assertMatch((await again()).stderr, /has maxJobsPerHour = 2 \[limit\]/);
  },
});

Deno.test({
  name: "site policy - a site's profile and relay are there for everybody",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine();
    await using somebody = await worker(site);
    const job = `${somebody.home}/words.sh`;
    await Deno.writeTextFile(job, "#!/bin/bash\necho the ${WORD}\n");
    await Deno.writeTextFile(`${somebody.home}/token`, secret, { mode: 0o600 });
    await site.write("config.json", {
      relay: { url: relay.url, tokenFile: `${somebody.home}/token` },
      profiles: { here: { executor: "local", env: { WORD: "site" } } },
    });
    const { stdout, stderr } = await somebody.run(["run", job, "--no-prompt", "--profile", "here"]);
    assertEquals([stdout, stderr], ["the site\n", ""]);
    await site.write("config.json", { profiles: { here: { executor: "cray" } } });
    const broken = await somebody.run(["run", "local", `${somebody.home}/job.sh`, "--no-prompt"]);
    assertEquals(broken.code, 2);
    assertStringIncludes(broken.stderr, "/etc/streamrelay/config.json: profiles.here.executor: ");
  },
});

Deno.test({
  name: "site policy - on a cluster nothing is submitted that it forbids",
  ignore: noSlurm,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({ allowedRelays: ["embedded"], minPollInterval: 60 });
    const name = `policy-${crypto.randomUUID()}`;
    const config = {
      relay: { url: relay.url, token: secret },
      name,
      workdir: "/tmp",
      output: "/dev/null",
    };
    const jobs = async () =>
      (await runCommand(["squeue", "-h", "-t", "all", "-n", name, "-o", "%i"])).stdout.trim();
    const refused = await library(site, { kind: "slurm", config });
    assertEquals(refused.code, "policy");
    assertStringIncludes(refused.message, `${FILE} has allowedRelays = embedded`);
    assertEquals(await jobs(), "");
    const allowedRelays = [`ws://127.0.0.1:${relay.port}`];
    await site.write("policy.json", { allowedRelays });
    assertEquals(await library(site, { kind: "slurm", config }), { text: "hello" });
    assertMatch(await jobs(), /^\d+$/);
    // an array is as many jobs as it has tasks, and all of them or none
    await site.write("policy.json", { allowedRelays, maxJobs: 2 });
    const array = { kind: "slurm", config: { ...config, name: `${name}-array` } };
    const three = await library(site, { ...array, array: "0-2" });
    assertEquals(three.code, "limit");
    assertStringIncludes(three.message, `${FILE} has maxJobs = 2`);
    const listed = ["squeue", "-h", "-t", "all", "-n", `${name}-array`, "-o", "%i"];
    assertEquals((await runCommand(listed)).stdout, "");
    assertEquals(await library(site, { ...array, array: "0-1" }), { texts: ["hello", "hello"] });
    await using somebody = await worker(site);
    const { code, stderr } = await somebody.run(
      [
        "run",
        "slurm",
        `${somebody.home}/job.sh`,
        "--no-prompt",
        "--url",
        "wss://relay.example.org",
      ],
    );
    assertEquals(code, 20);
    assertStringIncludes(stderr, FILE);
  },
});

Deno.test({
  name: "site policy - a login node's own binds who submits there over ssh",
  // a plain user's sshd can't be given mounts
  ignore: noSsh || Deno.uid() !== 0,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({ requireEncryption: true });
    await using server = await startSshServer({
      within: site.command,
      extra: `SetEnv SLURM_CONF=${Deno.env.get("SLURM_CONF")}`,
    });
    const { host, config: sshConfig } = server;
    const shared = {
      record: false,
      relay: { url: relay.url, token: secret },
      workdir: "/tmp",
      output: "/dev/null",
    };
    const slurm = () => new SlurmExecutor({ ...shared, via: { ssh: host, config: sshConfig } });
    assertEquals(await slurm().stream({ text: "cat" }, "hello").text(), "hello");
    for (
      const executor of [slurm(), new SshExecutor({ ...shared, host, sshConfig })] as Executor[]
    ) {
      const plain = executor.stream({ text: "cat" }, "hello", { encryption: "off" });
      const error = await assertRejects(() => plain.text(), StreamError);
      assertEquals([error.code, error.message], [
        "policy",
        `Cannot stream with encryption "off": the site's policy hpc:${FILE} has requireEncryption = true`,
      ]);
    }
    await site.write("policy.json", "{");
    await using broken = await startSshServer({ within: site.command });
    const one = new SshExecutor({ ...shared, host: broken.host, sshConfig: broken.config });
    const error = await assertRejects(
      () => one.stream({ text: "cat" }, "hello").text(),
      StreamError,
    );
    assertStringIncludes(error.message, `the site's policy hpc:${FILE}: `);
  },
});

Deno.test({
  name:
    "site policy - whom the system doesn't know can't be counted, and need not be without a cap",
  ignore,
  async fn() {
    const secret = "a long random secret";
    await using relay = await serveRelay({ port: 0, secret });
    await using site = await siteMachine({ maxJobs: 4 }, { stranger: true });
    const config = { relay: { url: relay.url, token: secret } };
    const { code, message } = await library(site, { config });
    assertEquals(code, "policy");
    assertStringIncludes(message, `Cannot count jobs for the site's policy ${FILE}: `);
    await site.write("policy.json", {});
    assertEquals((await library(site, { config })).text, "hello");
  },
});
