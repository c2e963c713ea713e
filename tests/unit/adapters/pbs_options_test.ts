import { assertEquals, assertThrows } from "@std/assert";
import { type PbsOptions, qsubArguments } from "../../../adapters/pbs/pbs_options.ts";
import { pbsOutput } from "../../../adapters/pbs/pbs_output.ts";
import { StreamError } from "../../../stream/mod.ts";

const NONE = { directives: [], name: "s.sh" };

Deno.test("pbs options - each becomes its arguments", () => {
  const { args, notice } = qsubArguments({
    queue: "gpu",
    account: "proj",
    project: "tide",
    name: "my_job",
    output: "o,1",
    error: "e",
    nodes: 2,
    cpus: 8,
    gpus: 1,
    tasks: 4,
    memory: "16G",
    place: "scatter",
    time: "1-02:03",
    extra: ["-m", "n"],
  }, NONE);
  assertEquals(args, [
    ...["-q", "gpu", "-A", "proj", "-P", "tide", "-N", "my_job", "-o", "o,1", "-e", "e"],
    ...["-l", "select=2:ncpus=8:ngpus=1:mpiprocs=4:mem=16gb", "-l", "place=scatter"],
    ...["-l", "walltime=26:03:00", "-k", "oed", "-S", "/bin/bash", "-m", "n"],
  ]);
  assertEquals(notice, undefined);
});

Deno.test("pbs options - what isn't said is chosen, and the time limit announced", () => {
  assertEquals(qsubArguments({}, NONE), {
    args: ["-l", "walltime=1:00:00", "-N", "s.sh", "-j", "oe", "-S", "/bin/bash"],
    notice: "No time limit was given, so 1:00:00 was asked for",
  });
  assertEquals(qsubArguments({ defaultTime: "" }, { directives: undefined, name: "x" }), {
    args: ["-j", "oe", "-S", "/bin/bash"],
  });
});

Deno.test("pbs options - the script's own directives are left alone", () => {
  const directives = [
    "#PBS -N own -l select=1:ncpus=2,walltime=5:00",
    "#PBS -o out -j n -S /bin/csh",
  ];
  assertEquals(qsubArguments({}, { directives, name: "s.sh" }), {
    args: ["-k", "oed", "-S", "/bin/bash"],
  });
});

Deno.test("pbs options - times mean what they mean to Slurm", () => {
  const times: [string | number, string][] = [
    [90, "1:30:00"],
    ["90", "1:30:00"],
    ["2:30", "0:02:30"],
    ["12:00:00", "12:00:00"],
    ["2-1", "49:00:00"],
    ["1-00:30", "24:30:00"],
  ];
  for (const [time, expected] of times) {
    const { args } = qsubArguments({ time }, NONE);
    assertEquals(args[1], `walltime=${expected}`, String(time));
  }
});

Deno.test("pbs options - memory by unit", () => {
  for (
    const [memory, expected] of [[500, "500mb"], ["16G", "16gb"], ["3gb", "3gb"], [
      "7",
      "7mb",
    ]] as const
  ) {
    const { args } = qsubArguments({ memory }, NONE);
    assertEquals(args[1], `select=1:mem=${expected}`);
  }
});

Deno.test("pbs options - what can't be is refused by name", () => {
  const cases: [PbsOptions, string][] = [
    [{ queue: "a\nb" }, "queue"],
    [{ name: "a\0" }, "name"],
    [{ account: "" }, "account"],
    [{ output: "a\r" }, "output"],
    [{ cpus: 0 }, "cpus"],
    [{ nodes: 1.5 }, "nodes"],
    [{ select: "1", cpus: 1 }, "select"],
    [{ memory: "lots" }, "memory"],
    [{ time: "soon" }, "time"],
    [{ extra: ["a\nb"] }, "extra"],
    [{ extra: ["-J", "1-10"] }, "array"],
    [{ extra: ["-I"] }, "terminal"],
    [{ extra: ["-W", "block=true"] }, "block"],
    [{ extra: ["-S", "/bin/csh"] }, "shebang"],
    [{ array: 3 as never }, "array"],
  ];
  for (const [options, name] of cases) {
    const error = assertThrows(() => qsubArguments(options, NONE), StreamError, name);
    assertEquals(error.code, "bad_request");
  }
  const directives = ["#PBS -J 1-3"];
  assertThrows(() => qsubArguments({}, { directives, name: "s" }), StreamError, "array");
});

Deno.test("pbs options - hostile texts stay one argument each", () => {
  const text = `'"\`$(x)\\;&|,=:%`;
  const { args } = qsubArguments({ account: text, output: text, queue: text }, NONE);
  assertEquals(args.slice(0, 6), ["-q", text, "-A", text, "-o", text]);
});

Deno.test("pbs output - where the file will be", () => {
  const script = { directives: ["#PBS -N own -o host:/out/$x"], name: "s.sh" };
  assertEquals(pbsOutput("7.srv", {}, { name: "s.sh" }, ""), "s.sh.o7");
  assertEquals(pbsOutput("7.srv", {}, script, "/w"), undefined);
  assertEquals(pbsOutput("7.srv", { output: "logs/" }, script, "/w"), "/w/logs/7.srv.OU");
  assertEquals(pbsOutput("7.srv", { output: "login1:/o" }, script, "/w"), "/o");
});
