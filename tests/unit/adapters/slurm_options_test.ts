import { assertEquals, assertThrows } from "@std/assert";
import { sbatchArguments, type SlurmOptions } from "../../../adapters/slurm/slurm_options.ts";
import { slurmOutput } from "../../../adapters/slurm/slurm_output.ts";
import { StreamError } from "../../../stream/mod.ts";

const NONE = { directives: [], name: "s.sh" };

Deno.test("slurm options - each becomes one argument", () => {
  const { args, notice } = sbatchArguments({
    partition: "gpu",
    gres: "gpu:a100:2",
    time: "1-02:03",
    account: "proj",
    qos: "high",
    constraint: "a100&nvlink",
    nodes: "2-4",
    tasks: 8,
    cpus: 4,
    memory: "16G",
    name: "my job",
    output: "o-%j",
    error: "e-%j",
    extra: ["--exclusive", "--mail-type=END"],
  }, NONE);
  assertEquals(args, [
    "--partition=gpu",
    "--gres=gpu:a100:2",
    "--time=1-02:03",
    "--account=proj",
    "--qos=high",
    "--constraint=a100&nvlink",
    "--nodes=2-4",
    "--ntasks=8",
    "--cpus-per-task=4",
    "--mem=16G",
    "--job-name=my job",
    "--output=o-%j",
    "--error=e-%j",
    "--exclusive",
    "--mail-type=END",
  ]);
  assertEquals(notice, undefined);
});

Deno.test("slurm options - a time limit by default is announced, unless the script gives one", () => {
  assertEquals(sbatchArguments({}, NONE), {
    args: ["--time=1:00:00", "--job-name=s.sh"],
    notice: "No time limit was given, so 1:00:00 was asked for",
  });
  for (
    const directives of [["#SBATCH -t 5 -J n"], [
      "#SBATCH --time 5",
      "#SBATCH --job-name=n",
    ]]
  ) {
    assertEquals(sbatchArguments({}, { directives, name: "s.sh" }), {
      args: [],
    });
  }
  assertEquals(
    sbatchArguments({ extra: ["-t", "7"] }, NONE).args.includes(
      "--time=1:00:00",
    ),
    false,
  );
  assertEquals(sbatchArguments({ defaultTime: "" }, NONE).notice, undefined);
});

Deno.test("slurm options - a script that can't be read from here keeps its own", () => {
  const unread = { directives: undefined, name: "s.sh" };
  assertEquals(sbatchArguments({}, unread), { args: [] });
});

Deno.test("slurm options - what can't be is refused, by its name", () => {
  const wrong: [SlurmOptions | Record<string, unknown>, string][] = [
    [{ partition: "" }, "partition"],
    [{ account: "a\nb" }, "account"],
    [{ name: "a\0b" }, "name"],
    [{ cpus: 0 }, "cpus"],
    [{ tasks: 1.5 }, "tasks"],
    [{ tasks: "2" }, "tasks"],
    [{ time: "soon" }, "time"],
    [{ time: "5; rm -rf" }, "time"],
    [{ extra: "--x" }, "extra"],
    [{ extra: ["--array=1-3"] }, "array"],
    [{ extra: ["-a", "1-3"] }, "array"],
    [{ extra: ["--wrap=x"] }, "wrap"],
    [{ array: "1-3" }, "array"],
  ];
  for (const [options, name] of wrong) {
    const error = assertThrows(
      () => sbatchArguments(options as SlurmOptions, NONE),
      StreamError,
      `option ${name}`,
    );
    assertEquals(error.code, "bad_request");
  }
  assertThrows(
    () => sbatchArguments({}, { directives: ["#SBATCH -a 1-4"], name: "s.sh" }),
    StreamError,
    "streamAll()",
  );
});

Deno.test("slurm output - where the file will be", () => {
  const at = (config: { output?: string }, directives: string[] = []) =>
    slurmOutput("7", { workdir: "/w", ...config }, directives);
  assertEquals(at({}), "/w/slurm-7.out");
  assertEquals(at({ output: "/x/%j.log" }), "/x/7.log");
  assertEquals(at({}, ["#SBATCH -o logs/%4j"]), "/w/logs/0007");
  assertEquals(at({ output: "100%%-%j" }), "/w/100%-7");
  assertEquals(at({ output: "%x-%N.out" }), undefined);
});
