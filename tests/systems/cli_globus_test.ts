/** What a user sees of `run globus` and `globus login|logout|register`, with a stand-in of Globus. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Person, person } from "./command_line.ts";
import {
  type GlobusStandIn,
  globusStandIn,
  PAGE_CODE,
  type StandInOptions,
} from "./globus_stand_in.ts";
import { needs } from "./needs.ts";

const CLIENT = "7a8b9c00-0000-4000-8000-000000000000";

interface User extends Person {
  service: GlobusStandIn;
}

/** Somebody whose configuration names the stand-in, twice: as a service account and as a person. */
async function user(options: StandInOptions = {}): Promise<User> {
  const service = globusStandIn(options);
  const somebody = await person(undefined, { GLOBUS_SDK_SERVICE_URL_AUTH: service.url });
  const { home } = somebody;
  const { clientId, clientSecret } = service.client;
  await Deno.writeTextFile(`${home}/secret`, clientSecret, { mode: 0o600 });
  const common = {
    executor: "globus",
    endpoint: service.endpoint,
    serviceUrl: service.url,
    workdir: home,
  };
  await somebody.profiles({
    account: { ...common, login: { clientId, clientSecretFile: `${home}/secret` } },
    me: { ...common, login: { clientId: CLIENT } },
  });
  return Object.assign({
    ...somebody,
    service,
    async [Symbol.asyncDispose]() {
      await somebody[Symbol.asyncDispose]();
      await service[Symbol.asyncDispose]();
    },
  });
}

Deno.test("run globus - the prompt goes in, the words come out; others see it and cancel it", async () => {
  await using somebody = await user();
  const { home, service } = somebody;
  const job = await somebody.script(
    `cat; echo " $1"; until [ -e ${home}/go ]; do sleep 0.05; done; echo rest`,
  );
  const start = async () => {
    const run = somebody.start(["run", job, "--profile", "account", "--", "first"], {
      stdin: "What is a tide?",
    });
    await run.printed("What is a tide? first\n");
    const { stdout } = await somebody.run(["ls"]);
    const [, channel] = /^(\S+) +[\da-f-]{36} +globus +running /m.exec(stdout) ?? [];
    assert(channel, stdout);
    return { run, channel };
  };
  const first = await start();
  // what leads to the task again is kept, and no secret
  const record = await Deno.readTextFile(
    `${home}/state/streamrelay/jobs/${first.channel}.json`,
  );
  assertStringIncludes(record, service.endpoint);
  assert(!record.includes(service.client.clientSecret));
  const cancel = await somebody.run(["cancel", first.channel, "--reason", "enough"]);
  assertEquals(cancel.code, 0, cancel.stderr);
  assertMatch(cancel.stdout, /was told to stop\n$/);
  const told = await first.run.outcome;
  assertEquals(told.code, 130);
  assertMatch(told.stderr, /enough \[cancelled\]\n$/);

  const { run } = await start();
  await Deno.writeTextFile(`${home}/go`, "");
  assertEquals(await run.outcome, {
    code: 0,
    stdout: "What is a tide? first\nrest\n",
    stderr: "",
  });
  assert(service.requests.every(({ body }) => !body.includes("a tide?")));
});

Deno.test("run globus - --detach; attach takes it up; cancel while it waits is recorded", async () => {
  await using somebody = await user({ held: true });
  const { service, home } = somebody;
  const job = await somebody.script(`touch ${home}/ran; cat; exit 4`);
  const leave = async () => {
    const left = await somebody.run(["run", job, "--profile", "account", "--detach"], {
      stdin: "later",
    });
    const [, id] = /Submitted as (\S+) \(globus\)/.exec(left.stderr) ?? [];
    assert(id, left.stderr);
    return id;
  };
  const gone = await leave();
  const cancel = await somebody.run(["cancel", gone, "--reason", "changed my mind"]);
  assertEquals(
    [cancel.code, cancel.stdout],
    [0, `${gone} will be told to stop when it next reaches the relay\n`],
    cancel.stderr,
  );
  // its reader needs not wait until it starts
  const logs = await somebody.run(["logs", gone]);
  assertEquals(logs.code, 130);
  assertMatch(logs.stderr, /changed my mind \[cancelled\]\n$/);

  service.release();
  await service.idle();
  // the function found its stream over, and exited at once
  await Deno.stat(`${home}/ran`).then(() => assert(false), () => {});

  const attached = await somebody.run(["attach", await leave()]);
  assertEquals([attached.code, attached.stdout], [12, "later"], attached.stderr);
  assertMatch(attached.stderr, /exit code 4.*\[job_failed\]/);
});

Deno.test("globus login, run, logout - a person's login is kept 0600, used, and revoked", async () => {
  await using somebody = await user();
  const { service, home } = somebody;
  const job = await somebody.script("cat");
  const run = ["run", job, "--profile", "me"];
  const before = await somebody.run(run, { stdin: "hello" });
  assertEquals(before.code, 20);
  assertMatch(before.stderr, /no login of client .* expected `streamrelay globus login`/);

  const wrong = await somebody.run(["globus", "login", "--client-id", CLIENT], { stdin: "x\n" });
  assertEquals(wrong.code, 20, wrong.stderr);
  const login = somebody.start(["globus", "login", "--profile", "me"]);
  const shown = await login.printed(/\?client_id=.*\n/, "stderr");
  assertStringIncludes(shown, `${service.url}/v2/oauth2/authorize?client_id=${CLIENT}`);
  // the line is enough: a terminal stays open
  await login.write(`${PAGE_CODE}\n`);
  const done = await login.outcome;
  assertEquals([done.code, done.stdout], [0, ""], done.stderr);
  assertMatch(done.stderr, new RegExp(`Logged in to Globus by client ${CLIENT}\n$`));
  const folder = `${home}/state/streamrelay/globus`;
  const kept = () => [...Deno.readDirSync(folder)].filter(({ name }) => /^login-/.test(name));
  assertEquals(Deno.statSync(`${folder}/${kept()[0].name}`).mode! & 0o777, 0o600);

  assertEquals((await somebody.run(run, { stdin: "hello" })).stdout, "hello");

  const env = { GLOBUS_COMPUTE_CLIENT_ID: CLIENT };
  const logout = await somebody.run(["globus", "logout"], { env });
  assertEquals([logout.code, logout.stdout], [0, ""]);
  assertMatch(logout.stderr, /Logged out of Globus: .* is revoked and forgotten\n$/);
  assertEquals(kept(), []);
  const revoked = service.requests.filter(({ what }) => what.endsWith("/revoke"));
  assertEquals(revoked.length, 2);
  assertEquals((await somebody.run(run, { stdin: "hello" })).code, 20);
  const again = await somebody.run(["globus", "logout"], { env });
  assertEquals(again.code, 0);
  assertMatch(again.stderr, /No login of client .* was kept here\n$/);
});

Deno.test("globus register - prints an id, under which scripts run", async () => {
  await using somebody = await user();
  const job = await somebody.script("cat");
  const { code, stdout, stderr } = await somebody.run(
    ["globus", "register", "--profile", "account", "--public"],
  );
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^[\da-f-]{36}\n$/);
  const registered = () =>
    somebody.service.requests.filter(({ what }) => what === "POST /v3/functions");
  assertEquals(JSON.parse(registered()[0].body).public, true);
  const run = ["run", job, "--profile", "account", "--function-uuid", stdout.trim()];
  assertEquals((await somebody.run(run, { stdin: "hello" })).stdout, "hello");
  // the one was enough
  assertEquals(registered().length, 1);
});

Deno.test({
  name: "run globus --function - a Python function is called with the prompt and its channel",
  ignore: needs("python").ignore,
  async fn() {
    await using somebody = await user();
    const path = `${somebody.home}/infer.py`;
    await Deno.writeTextFile(
      path,
      `from streamrelay import RelayProducer

def infer(prompt, relay_url, channel_id, relay_secret=""):
    with RelayProducer(relay_url, channel_id, relay_secret=relay_secret) as relay:
        relay.send_token(prompt[::-1])
`,
    );
    const run = ["run", path, "--profile", "account", "--function", "infer"];
    assertEquals(await somebody.run(run, { stdin: "tide" }), {
      code: 0,
      stdout: "edit",
      stderr: "",
    });
    const elsewhere = await somebody.run(["run", "local", path, "--function", "infer"]);
    assertEquals(elsewhere.code, 2);
    assertMatch(elsewhere.stderr, /Cannot use --function with run local: expected run globus\n$/);
  },
});

Deno.test("globus - what can't be is told in one sentence", async () => {
  await using somebody = await user();
  const job = await somebody.script("true");
  const cases: [string[], number, RegExp][] = [
    [["globus"], 2, /expected globus login, globus logout or globus register/],
    [["globus", "login"], 2, /No app was given: expected --client-id, /],
    [["globus", "login", "--profile", "account"], 2, /No person is needed for client .* secret/],
    [["globus", "register", "--public", "--group", "x"], 2, /Cannot use --group with --public/],
    [["globus", "register"], 20, /Cannot log in to Globus: expected /],
    [["run", "globus", job], 2, /Cannot tell where to run: expected --endpoint UUID/],
    [["run", "globus", job, "--endpoint", "mine"], 24, /Cannot use option endpoint: "mine"/],
    [["run", "globus", job, "--partition", "x"], 2, /Cannot use --partition with run globus/],
  ];
  for (const [args, exit, words] of cases) {
    const { code, stderr } = await somebody.run(args);
    assertEquals(code, exit, `${args.join(" ")}: ${stderr}`);
    assertMatch(stderr, words);
    assertEquals(stderr.trim().split("\n").length, 1, stderr);
  }
});
