/** What a user sees of `run pbs`, `ls`, `logs`, `attach` and `cancel`, here and on a login node. @module */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { until } from "../tools/until.ts";
import { type Person, person } from "./command_line.ts";
import { needs } from "./needs.ts";
import { pbsSuite } from "./pbs_suite.ts";
import { runCommand } from "./run_command.ts";
import { startSshServer } from "./ssh_server.ts";

const bin = Deno.env.get("STREAMRELAY_TEST_PBS") ?? "";

function script(somebody: Person, lines: string): Promise<string> {
  return somebody.script(`#PBS -N mine\n${lines}`);
}

async function told(id: string): Promise<string> {
  return (await runCommand([`${bin}/qstat`, "-x", "-f", id])).stdout;
}

pbsSuite(import.meta.url, needs("pbs", "ssh"), (ignore) => {
  Deno.test({
    name: "run pbs - the prompt goes in, the words come out while the job runs",
    ignore,
    async fn() {
      await using somebody = await person();
      const { home } = somebody;
      const job = await script(
        somebody,
        `cat; echo " $1 $PBS_JOBNAME"; until [ -e ${home}/go ]; do sleep 0.05; done; echo rest`,
      );
      const flags = ["--bin", bin, "--time", "2", "--cpus", "1", "--workdir", home];
      const run = somebody.start(["run", "pbs", job, ...flags, "--", "first"], {
        stdin: "What is a tide?",
      });
      await run.printed("What is a tide? first mine\n");
      assertMatch((await somebody.run(["ls"])).stdout, / \d+\.\S+ +pbs +running /);
      await Deno.writeTextFile(`${home}/go`, "");
      assertEquals(await run.outcome, {
        code: 0,
        stdout: "What is a tide? first mine\nrest\n",
        stderr: "",
      });
    },
  });

  Deno.test({
    name: "run pbs - a profile; --detach, logs of a job that fails, cancel of one that waits",
    ignore,
    async fn() {
      await using somebody = await person();
      const job = await script(somebody, "cat; echo; echo wrong >&2; exit 4");
      await somebody.profiles({ here: { executor: "pbs", bin, time: 1, workdir: somebody.home } });
      const leave = async (...flags: string[]) => {
        const left = await somebody.run(["run", job, "--profile", "here", "--detach", ...flags], {
          stdin: "later",
        });
        const [, id] = /Submitted as (\d+\.\S+) \(pbs\)/.exec(left.stderr) ?? [];
        assert(id, left.stderr);
        return id;
      };
      // what follows does not say where PBS is: the record does
      const failed = await somebody.run(["logs", await leave()]);
      assertEquals([failed.code, failed.stdout], [12, "later\n"], failed.stderr);
      assertMatch(failed.stderr, /exit code 4.*\[job_failed\]\n/);

      const held = await leave("--extra=-h");
      const attached = somebody.start(["attach", held, "--events"]);
      await attached.printed('"state":"queued"');
      const cancelled = await somebody.run(["cancel", held, "--reason", "changed my mind"]);
      assertEquals(
        [cancelled.code, cancelled.stdout],
        [0, `${held} was cancelled at the scheduler\n`],
        cancelled.stderr,
      );
      const { code, stderr } = await attached.outcome;
      assertEquals(code, 130);
      assertMatch(stderr, /changed my mind \[cancelled\]\n$/);
      await until("PBS has ended it", async () => !/job_state = [QHR]/.test(await told(held)));
      assertMatch((await somebody.run(["ls"])).stdout, / cancelled /);
    },
  });

  Deno.test({
    name: "run pbs --via - on a login node; another terminal takes it up and cancels it there",
    ignore,
    async fn() {
      await using server = await startSshServer({
        extra: `SetEnv PBS_CONF_FILE=${Deno.env.get("PBS_CONF_FILE") ?? ""}`,
      });
      await using somebody = await person();
      const relay = somebody.start(["serve", "--port", "0"]);
      const [url] = /ws:\S+\d/.exec(await relay.printed("\n"))!;
      const job = await script(somebody, "echo started; exec sleep 600");
      const way = ["--via", server.host, "--ssh-config", server.config, "--bin", bin];
      const left = await somebody.run(
        ["run", "pbs", job, ...way, "--url", url, "--no-prompt", "--detach"],
      );
      const [, id] = /Submitted as (\d+\.\S+) \(pbs\)/.exec(left.stderr) ?? [];
      assert(id, left.stderr);
      const attached = somebody.start(["attach", id]);
      await attached.printed("started\n");
      attached.kill("SIGINT");
      const { code, stderr } = await attached.outcome;
      assertEquals(code, 130, stderr);
      assertStringIncludes(stderr, "[cancelled]");
      await until("PBS has ended it", async () => !/job_state = [QHR]/.test(await told(id)));
    },
  });

  Deno.test({
    name: "run pbs - what can't be is told in one sentence",
    ignore,
    async fn() {
      await using somebody = await person();
      const job = await script(somebody, "true");
      const cases: [string[], number, RegExp][] = [
        [["--partition", "gpu"], 2, /Cannot use --partition with run pbs: expected run slurm/],
        [["--ssh-config", "x"], 2, /Cannot use --ssh-config with run pbs alone: expected --via/],
        [["--bin", "/no/such"], 10, /\/no\/such\/qsub was not found/],
        [["--bin", bin, "--queue", "nowhere"], 10, /qsub refused: .*queue.*\[submit_failed\]/i],
        [["--cpus", "0"], 24, /Cannot use PBS option cpus: it is 0, expected a positive whole/],
        [["--select", "1:ncpus=1", "--cpus", "2"], 24, /Cannot use PBS option select: /],
      ];
      for (const [flags, exit, words] of cases) {
        const { code, stderr } = await somebody.run(["run", "pbs", job, "--no-prompt", ...flags]);
        assertEquals(code, exit, stderr);
        assertMatch(stderr, words);
      }
    },
  });
});
