/** What a user sees of `serve`. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RelayConsumer } from "../../client/mod.ts";
import { person } from "./command_line.ts";
import { runCommand } from "./run_command.ts";

const STATE = "state/streamrelay";

/** Permissions, as `ls` counts them. */
async function mode(path: string): Promise<string> {
  return ((await Deno.stat(path)).mode! & 0o777).toString(8);
}

/** The URL in what a relay printed. */
function urlIn(text: string): string {
  return /ws:\/\/[\w.]+:\d+/.exec(text)![0];
}

Deno.test("serve - makes a secret that only its user can read, and never prints it", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0"]);
  const url = urlIn(await relay.printed(/Relay at ws:\/\/127\.0\.0\.1:\d+, secret in .*\n/));

  const folder = `${somebody.home}/${STATE}`;
  const secret = (await Deno.readTextFile(`${folder}/secret`)).trim();
  assertMatch(secret, /^[0-9a-f]{32,}$/);
  assertEquals(await mode(`${folder}/secret`), "600");
  assertEquals(await mode(folder), "700");
  const [record] = await Array.fromAsync(Deno.readDir(`${folder}/relays`));
  assertEquals(await mode(`${folder}/relays/${record.name}`), "600");

  // found by the same user's other commands, and by nobody else's
  assertEquals((await somebody.run(["channel", "new"])).code, 0);
  {
    await using other = await person();
    const refused = await other.run(["channel", "new", "--url", url]);
    assertEquals(refused.code, 20);
    assertMatch(refused.stderr, /^streamrelay: No credential was given.*\[unauthorized\]\n$/);
  }

  const cmdline = await Deno.readTextFile(`/proc/${relay.pid}/cmdline`);
  assert(!cmdline.includes(secret));
  relay.kill("SIGTERM");
  const { code, stdout, stderr } = await relay.outcome;
  assertEquals(code, 0);
  assert(!`${stdout}${stderr}`.includes(secret));
  const logged = stderr.trim().split("\n").map((line) => JSON.parse(line).message);
  assertEquals([logged[0], logged.at(-1)], ["listening", "stopped"]);
  assertEquals(await Array.fromAsync(Deno.readDir(`${folder}/relays`)), []);

  // the next one has the same secret: tokens stay good
  const again = somebody.start(["--port", "0"]);
  await again.printed("Relay at");
  assertEquals((await Deno.readTextFile(`${folder}/secret`)).trim(), secret);
  again.kill("SIGINT");
  assertEquals((await again.outcome).code, 0);
});

Deno.test("serve - SIGTERM tells clients to come back later", async () => {
  await using somebody = await person();
  const relay = somebody.start(["serve", "--port", "0"], { env: { RELAY_SECRET: "s3cret" } });
  const url = urlIn(await relay.printed("secret as given"));
  const consumer = new RelayConsumer({
    url,
    channel: "c",
    token: "s3cret",
    key: "",
    retry: { giveUpAfter: 0 },
  });
  const result = consumer.stream().drain();
  await consumer.opened;
  const python = new WebSocket(`${url}/consume/d`);
  const closed = new Promise<number>((resolve) => python.onclose = ({ code }) => resolve(code));
  await new Promise<void>((resolve) => python.onopen = () => resolve());
  python.send(JSON.stringify({ type: "auth", secret: "s3cret" }));

  relay.kill("SIGTERM");
  const { error } = await result;
  assert(error?.retry, "the error says that coming back can help");
  assertEquals(await closed, 1012);
  assertEquals((await relay.outcome).code, 0);
});

Deno.test("serve - --idle-exit ends a relay that nobody uses", async () => {
  await using somebody = await person();
  const { code, stdout } = await somebody.run(["serve", "--port", "0", "--idle-exit", "0.1s"]);
  assertEquals(code, 0);
  assertMatch(stdout, /^Relay at ws:\/\/127\.0\.0\.1:\d+/);
});

Deno.test("serve - every flag has its variable, and flags win", async () => {
  await using somebody = await person();
  const env = {
    STREAMRELAY_PORT: "0",
    STREAMRELAY_HOST: "localhost",
    STREAMRELAY_IDLE_EXIT: "never",
    STREAMRELAY_LOG_LEVEL: "error",
    STREAMRELAY_INSECURE: "1",
  };
  const { code, stdout, stderr } = await somebody.run(["serve", "--idle-exit", "0.1"], { env });
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Relay at ws:\/\/localhost:\d+, open to all of this machine\n$/);
  const bad = await somebody.run(["serve"], { env });
  assertEquals(bad.code, 2);
  assertMatch(
    bad.stderr,
    /^streamrelay: Cannot parse STREAMRELAY_IDLE_EXIT "never": expected .*\n$/,
  );
});

Deno.test("serve - a secret as an argument is warned of, one in a file is not", async () => {
  await using somebody = await person();
  const file = `${somebody.home}/secret`;
  await Deno.writeTextFile(file, "from a file\n", { mode: 0o600 });
  const serve = ["serve", "--port", "0", "--idle-exit", "0.1", "--log-level", "error"];
  const argument = await somebody.run([...serve, "--secret", "open"]);
  assertEquals(argument.code, 0);
  assertStringIncludes(argument.stderr, "Warning: what follows --secret can be read by everybody");
  const quiet = await somebody.run([...serve, "--secret-file", file]);
  assertEquals([quiet.code, quiet.stderr], [0, ""]);
  await Deno.chmod(file, 0o644);
  const loose = await somebody.run([...serve, "--secret-file", file]);
  assertStringIncludes(loose.stderr, "can be read by others: chmod 600 it");
});

Deno.test({
  name: "serve - with a certificate, on every address, by both transports",
  ignore: (await runCommand(["openssl", "version"])).code !== 0,
  async fn() {
    await using somebody = await person();
    const [cert, key] = ["cert", "key"].map((name) => `${somebody.home}/${name}.pem`);
    const made = await runCommand(
      ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj /CN=localhost " +
        `-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout ${key} -out ${cert}`)
        .split(" "),
    );
    assertEquals(made.code, 0, made.stderr);
    for (const transport of ["deno", "ws"]) {
      const relay = somebody.start(
        ["serve", "--port", "0", "--host", "0.0.0.0", "--cert", cert, "--key", key],
        { env: { STREAMRELAY_TRANSPORT: transport } },
      );
      const shown = await relay.printed(/Relay at wss:\/\/0\.0\.0\.0:\d+, /);
      const [, port] = /:(\d+),/.exec(shown)!;
      const checked = await somebody.run(["check", `https://localhost:${port}`], {
        env: {
          DENO_CERT: cert,
          STREAMRELAY_TOKEN_FILE: `${somebody.home}/${STATE}/secret`,
        },
      });
      assertEquals(checked.code, 0, checked.stdout);
      relay.kill("SIGTERM");
      assertEquals((await relay.outcome).code, 0);
    }
  },
});

Deno.test("serve - what can't be served is told in one sentence", async () => {
  await using somebody = await person();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  const cases: [string[], number, RegExp][] = [
    [["--port", String(port)], 24, /the port is taken, expected a free one .*\[conflict\]/],
    [["--port", "70000"], 2, /Cannot listen on port 70000: expected 0 to 65535/],
    [["--port", "x"], 2, /Cannot parse --port "x": expected a whole number/],
    [["--insecure", "--host", "0.0.0.0"], 24, /--insecure is for loopback only \[bad_request\]/],
    [["--insecure", "--secret-file", "/dev/null"], 2, /it is empty, expected a file with one line/],
    [["--secret-file", "/no/such"], 2, /there is no such file, expected a file with one line/],
    [["--cert", "/no/such"], 2, /Cannot read --cert \/no\/such: there is no such file/],
    [["--cert", "/dev/null"], 24, /expected both a certificate and its key/],
    [["--transport", "pigeon"], 2, /Cannot parse --transport "pigeon": expected deno or ws/],
    [["--max-buffer", "lots"], 2, /Cannot parse --max-buffer "lots": expected bytes, or a size/],
    [["--prot", "1"], 2, /Unknown flag --prot of serve: see serve --help/],
    [["now"], 2, /Unexpected argument "now": expected serve \[FLAGS\]/],
  ];
  try {
    for (const [flags, exit, words] of cases) {
      const { code, stdout, stderr } = await somebody.run(["serve", ...flags]);
      assertEquals([code, stdout], [exit, ""], `${flags}: ${stderr}`);
      assertMatch(stderr, words);
      assertEquals(stderr.trim().split("\n").length, 1, stderr);
    }
  } finally {
    listener.close();
  }
});

Deno.test("command line - versions, help, and commands that there are not", async () => {
  await using somebody = await person();
  const { version } = JSON.parse(await Deno.readTextFile("deno.json"));
  assertEquals((await somebody.run(["--version"])).stdout, `streamrelay ${version}\n`);
  const help = await somebody.run(["--help"]);
  assertEquals(help.code, 0);
  for (const word of ["serve", "channel new", "consume", "demo"]) {
    assertMatch(help.stdout, new RegExp(`^ {2}${word} `, "m"));
  }
  const { stdout } = await somebody.run(["help", "consume"]);
  assertMatch(stdout, /^Usage: streamrelay consume /);
  const unknown = await somebody.run(["sreve"]);
  assertEquals(unknown.code, 2);
  assertMatch(unknown.stderr, /^streamrelay: Unknown command sreve: expected one of serve, /);
  const half = await somebody.run(["channel", "old"]);
  assertEquals([half.code, half.stderr], [
    2,
    "streamrelay: Unknown command channel old: expected channel new\n",
  ]);
});
