/** A whole evening at a login node that asks for a password: on a real Slurm, through a real sshd. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { PASSWORD, startAskingServer } from "./asking_ssh_server.ts";
import { type Person, person } from "./command_line.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";
import { runCommand } from "./run_command.ts";

const { ignore } = needs("slurm", "ssh");
const conf = Deno.env.get("SLURM_CONF") ?? "";
const CLI = `${Deno.execPath()} run -A --quiet ${
  new URL("../../cli.ts", import.meta.url).pathname
}`;

/** Each command on a terminal of its own, where ssh could ask. */
async function evening(somebody: Person, flags: string): Promise<void> {
  const terminal = (words: string) => somebody.start([`${CLI} ${words}`, "/dev/null"]);
  const typed = async (words: string) => {
    const { code, stdout } = await terminal(words).outcome;
    return { code, shown: stdout };
  };
  const [quick, endless] = [`${somebody.home}/quick.sh`, `${somebody.home}/endless.sh`];
  await Deno.writeTextFile(quick, "#!/bin/bash\necho one; echo two\n");
  await Deno.writeTextFile(endless, "#!/bin/bash\necho started; exec sleep 600\n");

  const first = terminal(`run slurm ${quick} --no-prompt ${flags}`);
  await first.printed(/Password: $/);
  await first.write(`${PASSWORD}\n`);
  const { code, stdout } = await first.outcome;
  assertEquals(code, 0, stdout);
  assertMatch(stdout, /one\r\ntwo\r\n/);

  const left = await typed(`run slurm ${quick} --no-prompt --detach ${flags}`);
  const [, id] = /Submitted as (\d+) \(slurm\)/.exec(left.shown) ?? [];
  assert(id, left.shown);
  assertStringIncludes((await typed(`attach ${id}`)).shown, "one\r\ntwo\r\n");

  const held = await typed(`run slurm ${endless} --no-prompt --detach --extra=--hold ${flags}`);
  const [, waiting] = /Submitted as (\d+) \(slurm\)/.exec(held.shown) ?? [];
  assertMatch((await typed("ls")).shown, new RegExp(` ${waiting} +slurm +waiting `));
  assertStringIncludes(
    (await typed(`cancel ${waiting}`)).shown,
    `${waiting} was cancelled at the scheduler`,
  );

  const running = terminal(`run slurm ${endless} --no-prompt ${flags}`);
  await running.printed("started\r\n");
  // Ctrl-C, as the terminal has it
  await running.write("\x03");
  assertEquals((await running.outcome).code, 130);
}

for (const forced of [false, true]) {
  Deno.test({
    name: `evening - one password for all of it${
      forced ? ", where one command alone is allowed" : ""
    }`,
    ignore: ignore || Deno.uid() !== 0,
    async fn() {
      await using fixture = await executorFixture();
      await using somebody = await person(["script", "-qec"], {
        STREAMRELAY_URL: fixture.relay.url,
        STREAMRELAY_TOKEN: fixture.secret,
        SHELL: "/bin/bash",
        // this side knows nothing of the cluster
        SLURM_CONF: "/no/such/slurm.conf",
      });
      const { home } = somebody;
      await Deno.writeTextFile(
        `${home}/force`,
        `#!/bin/bash
printf '%s\\n' "$SSH_ORIGINAL_COMMAND" >>${home}/commands
case $SSH_ORIGINAL_COMMAND in 'bash -l -s') exec bash -l -s ;; esac
echo "not allowed: $SSH_ORIGINAL_COMMAND" >&2; exit 1
`,
      );
      await Deno.chmod(`${home}/force`, 0o755);
      const force = forced ? `\nForceCommand ${home}/force` : "";
      await using asking = await startAskingServer(`SetEnv SLURM_CONF=${conf}${force}`);
      const { server, prompts } = asking;
      await evening(somebody, `--via ${server.host} --ssh-config ${server.config}`);
      assertEquals(await prompts(), 1);
      if (forced) {
        const commands = (await Deno.readTextFile(`${home}/commands`)).trim().split("\n");
        assertEquals([...new Set(commands)], ["bash -l -s"]);
      }
      await until("nothing is left in the queue", async () => {
        const { stdout } = await runCommand(["squeue", "-h", "-o", "%j %T"]);
        return !/(quick|endless)\.sh (PENDING|RUNNING)/.test(stdout);
      });
    },
  });
}
