/** `doctor` about the node of a job: real Slurm, here and on a login node, real sshd. @module */
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { diagnose } from "../../adapters/doctor/diagnose.ts";
import { examineJob } from "../../adapters/doctor/examine_job.ts";
import { type SlurmConfig, SlurmExecutor } from "../../adapters/mod.ts";
import { programRunner } from "../../adapters/ssh/ssh_programs.ts";
import { StreamError } from "../../stream/mod.ts";
import { serveRelay } from "../../server/mod.ts";
import { bareNode } from "./bare_node.ts";
import { person } from "./command_line.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { type SshServer, startSshServer } from "./ssh_server.ts";

const { ignore } = needs("slurm", "ssh");
const conf = Deno.env.get("SLURM_CONF");

/** What the doctor leaves where jobs leave their output. */
function leftIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => name.startsWith(".streamrelay-doctor"));
}

/** A login node that knows its cluster, for one that does not. */
async function onLoginNode(fn: (server: SshServer) => Promise<void>): Promise<void> {
  await using server = await startSshServer({ extra: `SetEnv SLURM_CONF=${conf}` });
  Deno.env.delete("SLURM_CONF");
  try {
    await fn(server);
  } finally {
    Deno.env.set("SLURM_CONF", conf!);
  }
}

async function examine(config: SlurmConfig) {
  const executor = new SlurmExecutor(config);
  const programs = programRunner(config.via);
  return diagnose(await examineJob(executor, { config, programs, patience: 5 }));
}

Deno.test({
  name: "doctor slurm - submits itself, and prints the profile to use",
  ignore,
  async fn() {
    const secret = crypto.randomUUID();
    const relay = await serveRelay({ port: 0, secret });
    try {
      await using somebody = await person(undefined, { STREAMRELAY_TOKEN: secret });
      const { code, stdout, stderr } = await somebody.run([
        ...["doctor", "slurm", "--partition", "main", "--url", relay.url],
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /^ok {7}stream +\S+ has streamed this report to the relay$/m);
      assertMatch(stdout, /^Verdict: \S+ can produce\.$/m);
      const { executor, partition, relay: place, producer } = JSON.parse(
        stdout.slice(stdout.indexOf("\n{\n")),
      );
      assertEquals([executor, partition], ["slurm", "main"]);
      assertEquals(place, { url: relay.url });
      assert(producer.use.includes("python3"));
      assert(!stdout.includes(secret));
      assertEquals(leftIn(somebody.home), []);
    } finally {
      await relay.close();
    }
  },
});

Deno.test({
  name: "doctor slurm - a node without a producer, a set-up that fails",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const PATH = await bareNode(`${fixture.dir}/bin`, []);
    const { verdict } = await examine({ ...fixture.config, env: { PATH } });
    assertMatch(verdict, / can't produce \(producer\)$/);
    const setup = ["no-such-command --now"];
    const failure = await assertRejects(
      () => examine({ ...fixture.config, setup }),
      StreamError,
      "the setup line 'no-such-command --now' failed with exit code 127",
    );
    assertEquals(failure.code, "job_failed");
    assertEquals(leftIn(fixture.dir), []);
  },
});

Deno.test({
  name: "doctor slurm via ssh - nothing is installed there, and the report comes by the stream",
  ignore,
  fn: () =>
    onLoginNode(async (server) => {
      await using fixture = await executorFixture();
      const via = { ssh: server.host, config: server.config };
      for (const encryption of [undefined, "v2"] as const) {
        const { produces, findings } = await examine({ ...fixture.config, via, encryption });
        assertEquals(produces, "yes", JSON.stringify(findings));
      }
      assertEquals(leftIn(fixture.dir), []);
    }),
});

Deno.test({
  name: "doctor slurm via ssh - a node that reaches no relay answers by the job's output file",
  ignore,
  fn: () =>
    onLoginNode(async (server) => {
      await using fixture = await executorFixture();
      const via = { ssh: server.host, config: server.config };
      const { url, token } = fixture.config.relay as { url: string; token: string };
      const relay = { url, token, jobUrl: "ws://127.0.0.1:9" };
      const { produces, findings, verdict } = await examine({ ...fixture.config, via, relay });
      assertEquals(produces, "no");
      assertMatch(verdict, / can't produce \(port, stream\)$/);
      const port = findings.find(({ check }) => check === "port");
      assertStringIncludes(port!.message, "127.0.0.1:9 refuses connections from this node");
      assertEquals(leftIn(fixture.dir), []);
    }),
});

Deno.test({
  name: "doctor --via - from a laptop: submits itself on a login node",
  ignore,
  fn: () =>
    onLoginNode(async (server) => {
      const secret = crypto.randomUUID();
      const relay = await serveRelay({ port: 0, secret });
      try {
        await using somebody = await person(undefined, { STREAMRELAY_TOKEN: secret });
        const place = ["--via", server.host, "--ssh-config", server.config];
        const { code, stdout, stderr } = await somebody.run([
          ...["doctor", ...place, "--partition", "main", "--url", relay.url],
        ]);
        assertEquals(code, 0, stdout + stderr);
        const profile = JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
        assertEquals(profile.executor, "slurm");
        assertEquals(profile.via, { ssh: server.host, config: server.config });
        // the configuration file takes what is printed
        await somebody.profiles({ gpu: profile });
        const script = await somebody.script("echo by the profile");
        const ran = await somebody.run(["run", script, "--profile", "gpu", "--no-prompt"]);
        assertEquals([ran.code, ran.stdout], [0, "by the profile\n"], ran.stderr);
      } finally {
        await relay.close();
      }
    }),
});

Deno.test({
  name: "doctor --via - with a relay on the login node, which ends with it",
  ignore,
  fn: () =>
    onLoginNode(async (server) => {
      await using somebody = await person();
      const place = ["--via", server.host, "--ssh-config", server.config, "--relay", "via"];
      const embedded = { runtime: Deno.execPath() };
      await somebody.profiles({ login: { executor: "slurm", embedded } });
      place.push("--profile", "login");
      const { code, stdout, stderr } = await somebody.run(["doctor", ...place]);
      assertEquals(code, 0, stdout + stderr);
      const { relay, credentials } = JSON.parse(stdout.slice(stdout.indexOf("\n{\n")));
      assertEquals([relay, credentials], ["via", undefined]);
    }),
});

Deno.test({
  name: "doctor ssh - a host without a scheduler, through the connection's own tunnel",
  ignore,
  async fn() {
    await using server = await startSshServer();
    const secret = crypto.randomUUID();
    const relay = await serveRelay({ port: 0, secret });
    try {
      await using somebody = await person(undefined, { STREAMRELAY_TOKEN: secret });
      const { code, stdout, stderr } = await somebody.run([
        ...["doctor", "ssh", "--host", server.host, "--ssh-config", server.config],
        ...["--workdir", somebody.home, "--url", relay.url],
      ]);
      assertEquals(code, 0, stdout + stderr);
      assertMatch(stdout, /^Verdict: \S+ can produce\.$/m);
      assertEquals(leftIn(somebody.home), []);
    } finally {
      await relay.close();
    }
  },
});

Deno.test("doctor - what can't be examined", async () => {
  await using somebody = await person();
  for (
    const [args, words] of [
      [["globus"], /Cannot examine "globus": expected a relay's URL, slurm, pbs or ssh\n/],
      [["ssh"], /expected --host HOST/],
      [["ws://127.0.0.1:1", "--proxy", "http://me:word@proxy:3128"], /without a password/],
      [[], /No relay was given and none of yours runs here/],
    ] as const
  ) {
    const { code, stdout, stderr } = await somebody.run(["doctor", ...args]);
    assertEquals([code, stdout], [2, ""], stderr);
    assertMatch(stderr, words);
    assert(!stderr.includes("word@"));
  }
});
