/** What an operator sees of `serve --audit`. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { until } from "../tools/until.ts";
import { person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore: noMounts } = needs("mounts");
const { ignore: noSlurm } = needs("slurm");
const CLI = new URL("../../cli.ts", import.meta.url).pathname;
const PROMPT = "the-prompt-that-nobody-else-may-see";

/** The lines of an audit log. */
async function linesOf(path: string): Promise<Record<string, unknown>[]> {
  const text = await Deno.readTextFile(path);
  return text.trim() === "" ? [] : text.trim().split("\n").map((line) => JSON.parse(line));
}

Deno.test("serve --audit - a file of its owner's, opened anew at SIGHUP", async () => {
  await using somebody = await person();
  const file = `${somebody.home}/audit.jsonl`;
  const relay = somebody.start(["serve", "--port", "0", "--audit", file]);
  await relay.printed("Relay at");
  assertEquals((await Deno.stat(file)).mode! & 0o777, 0o600);
  assertEquals((await somebody.run(["channel", "new"])).code, 0);
  await Deno.rename(file, `${file}.1`);
  relay.kill("SIGHUP");
  await until("it is opened anew", () => Deno.stat(file).catch(() => undefined));
  assertEquals((await somebody.run(["channel", "new"])).code, 0);
  relay.kill("SIGTERM");
  assertEquals((await relay.outcome).code, 0);
  for (const path of [`${file}.1`, file]) {
    const [{ event, key, from, channel }, ...more] = await linesOf(path);
    assertEquals([event, key, from, more.length], ["created", "secret", "127.0.0.1", 0]);
    assert(channel);
  }
  const nowhere = await somebody.run(["serve", "--port", "0", "--audit", "/nowhere/audit"]);
  assertEquals(nowhere.code, 24);
  assertMatch(nowhere.stderr, /Cannot open audit log \/nowhere\/audit: .*\[bad_request\]\n$/);
});

Deno.test({
  name: "serve --audit - of a batch job: who, what, when, which job, and no content",
  ignore: noSlurm,
  async fn() {
    await using somebody = await person();
    const file = `${somebody.home}/audit.jsonl`;
    const job = `${somebody.home}/infer.sh`;
    await Deno.writeTextFile(job, "#!/bin/bash\ncat; echo; echo complaint >&2; exit 3\n");
    const relay = somebody.start(["serve", "--port", "0", "--audit", file]);
    await relay.printed("Relay at");
    const run = await somebody.run(["run", "slurm", job, "--events"], { stdin: PROMPT });
    assertEquals(run.code, 12, run.stderr);
    const [, id] = /"jobId":"(\d+)"/.exec(run.stdout)!;
    relay.kill("SIGTERM");
    assertEquals((await relay.outcome).code, 0);
    const lines = await linesOf(file);
    const told = lines.map(({ event, as, jobId }) => [event, as, jobId].filter(Boolean).join(" "));
    for (
      const line of [
        "created",
        "input supervise",
        "opened consume",
        "opened supervise",
        "opened produce",
        `closed produce ${id}`,
        `closed consume ${id}`,
        `closed supervise ${id}`,
        `ended ${id}`,
      ]
    ) {
      assert(told.includes(line), `${line} in ${told.join(", ")}`);
    }
    const end = lines.find(({ event }) => event === "ended")!;
    assertEquals([end.end, end.code, end.by], ["error", "job_failed", "supervisor"]);
    const whole = await Deno.readTextFile(file);
    const secret = (await Deno.readTextFile(`${somebody.home}/state/streamrelay/secret`)).trim();
    for (const hidden of [PROMPT, "complaint", "infer.sh", secret, "eyJ"]) {
      assert(!whole.includes(hidden), hidden);
    }
  },
});

Deno.test({
  name: "serve --audit - on a full disk the relay goes on, and says what is missing",
  ignore: noMounts || Deno.uid() !== 0,
  async fn() {
    const disk = await Deno.makeTempDir({ prefix: "streamrelay-disk-" });
    const mount = 'mount -t tmpfs -o size=16k none "$1" && shift && exec "$@"';
    const flags = Deno.env.get("STREAMRELAY_TEST_MOUNTS")!;
    await using somebody = await person([
      ...["unshare", flags, "sh", "-c", mount, "sh", disk],
      ...[Deno.execPath(), "run", "-A", "--quiet", CLI],
    ]);
    const relay = somebody.start(["serve", "--port", "0", "--audit", `${disk}/audit`]);
    await relay.printed("Relay at");
    // within its mounts
    const seen = `/proc/${relay.pid}/root${disk}`;
    const filled = await runCommand(["dd", "if=/dev/zero", `of=${seen}/filler`, "bs=1k"]);
    assert(/No space left/.test(filled.stderr), filled.stderr);
    // what fits into the page that the file has may still be written
    for (let made = 0; !relayWarned(await relay.printed("", "stderr")); made++) {
      assert(made < 100);
      assertEquals((await somebody.run(["channel", "new"])).code, 0);
    }
    await Deno.remove(`${seen}/filler`);
    assertEquals((await somebody.run(["channel", "new"])).code, 0);
    const lines = await linesOf(`${seen}/audit`);
    assertEquals(lines.slice(-2).map(({ event }) => event), ["missing", "created"]);
    assert(Number(lines.at(-2)!.lines) >= 1);
    relay.kill("SIGTERM");
    assertEquals((await relay.outcome).code, 0);
    await Deno.remove(disk);
  },
});

function relayWarned(log: string): boolean {
  return log.includes("Cannot write the audit log, the relay goes on without");
}
