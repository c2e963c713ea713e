import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { SlurmExecutor } from "../../adapters/mod.ts";
import { StreamError } from "../../stream/mod.ts";
import { executorFixture } from "./executor_fixture.ts";
import { needs } from "./needs.ts";

const { ignore } = needs("slurm");

const SCRIPT = `#!/bin/bash
#SBATCH --job-name=from-the-script
#SBATCH -n 1 -c 3   # three CPUs
#SBATCH --time=00:07:00
#SBATCH --output=my-%j.log
scontrol show job -o $SLURM_JOB_ID
`;

Deno.test({
  name: "slurm script - the user's #SBATCH lines are honoured, options win",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    await Deno.writeTextFile(`${dir}/infer.sh`, SCRIPT);
    const executor = new SlurmExecutor(config);
    const stream = executor.stream(`${dir}/infer.sh`);
    const told = await stream.text();
    for (
      const fact of [
        "JobName=from-the-script",
        "CPUs/Task=3",
        "TimeLimit=00:07:00",
        `StdOut=${dir}/my-`,
        `WorkDir=${dir}`,
      ]
    ) assertStringIncludes(told, fact);
    assertEquals(
      await Deno.readTextFile(`${dir}/my-${stream.job.id}.log`),
      told,
    );

    const own = await executor.stream(`${dir}/infer.sh`, undefined, {
      time: 9,
      cpus: 2,
      name: "from-the-option",
    }).text();
    assertStringIncludes(own, "JobName=from-the-option");
    assertStringIncludes(own, "CPUs/Task=2");
    assertStringIncludes(own, "TimeLimit=00:09:00");
  },
});

Deno.test({
  name: "slurm script - one that is on the node already keeps its #SBATCH lines",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    await Deno.writeTextFile(`${dir}/there.sh`, SCRIPT, { mode: 0o700 });
    const told = await new SlurmExecutor(config)
      .stream({ remote: `${dir}/there.sh` }).text();
    assertStringIncludes(told, "JobName=from-the-script");
    assertStringIncludes(told, "TimeLimit=00:07:00");
  },
});

Deno.test({
  name: "slurm script - a default time limit is announced",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const stream = new SlurmExecutor(fixture.config).stream({
      text: "scontrol show job -o $SLURM_JOB_ID",
    });
    let text = "";
    let reason: string | undefined;
    await stream.onChunk((event) => {
      if (event.type === "token") text += event.content;
      if (event.type === "status" && event.state === "submitted") {
        reason = event.reason;
      }
    });
    assertStringIncludes(text, "TimeLimit=01:00:00");
    assertStringIncludes(reason ?? "", "1:00:00");
  },
});

Deno.test({
  name: "slurm script - output and an inner srun",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const { config, dir } = fixture;
    const stream = new SlurmExecutor({ ...config, tasks: 2 }).stream({
      text: "#!/bin/bash\nsrun bash -c 'echo task $SLURM_PROCID'",
    });
    const text = await stream.text();
    assertEquals(text.trim().split("\n").sort(), ["task 0", "task 1"]);
    assertEquals(
      await Deno.readTextFile(`${dir}/slurm-${stream.job.id}.out`),
      text,
    );
  },
});

Deno.test({
  name: "slurm script - a prompt of 1 MB goes in, and comes out",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const prompt = "0123456789abcdeé".repeat(61_681);
    const text = await new SlurmExecutor(fixture.config).stream(
      { text: '#!/bin/bash\ncat; cmp - "$STREAMRELAY_PROMPT_FILE" <"$STREAMRELAY_PROMPT_FILE"' },
      prompt,
    ).text();
    assert(text === prompt, `${text.length} of ${prompt.length} characters`);
  },
});

Deno.test({
  name: "slurm script - a prompt may be a stream of bytes",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const bytes = ReadableStream.from([
      new Uint8Array([0xe2, 0x82]),
      new Uint8Array([0xac]),
    ]);
    const stream = new SlurmExecutor(fixture.config).stream({ text: "cat" }, bytes);
    assertEquals(await stream.text(), "€");
  },
});

Deno.test({
  name: "slurm script - 100,000 lines arrive, each once and in order",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const text = await new SlurmExecutor(fixture.config)
      .stream({ text: "seq 100000" }).text();
    const lines = text.split("\n");
    assertEquals(lines.length, 100_001);
    assert(lines.slice(0, -1).every((line, i) => line === String(i + 1)));
  },
});

Deno.test({
  name: "slurm script - an array is refused with a sentence",
  ignore,
  async fn() {
    await using fixture = await executorFixture();
    const error = await assertRejects(
      () =>
        new SlurmExecutor(fixture.config)
          .stream({ text: "#!/bin/bash\n#SBATCH --array=1-4\necho hi" }).text(),
      StreamError,
      "array",
    );
    assertEquals(error.code, "bad_request");
  },
});
