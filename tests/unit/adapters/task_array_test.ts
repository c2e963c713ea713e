import { assertEquals, assertThrows } from "@std/assert";
import { arrayValue } from "../../../adapters/slurm/slurm_array.ts";
import { sbatchArguments } from "../../../adapters/slurm/slurm_options.ts";
import { slurmOutput } from "../../../adapters/slurm/slurm_output.ts";
import { rankSetup } from "../../../adapters/slurm/slurm_ranks.ts";
import { parseTaskArray } from "../../../adapters/arrays/task_array.ts";
import { StreamError } from "../../../stream/mod.ts";

Deno.test("task array - what people write is read", () => {
  const cases: [string, number[], number | undefined][] = [
    ["0-3", [0, 1, 2, 3], undefined],
    ["7", [7], undefined],
    ["5,1-2,2", [1, 2, 5], undefined],
    ["0-10:5", [0, 5, 10], undefined],
    ["0-9:20%4", [0], 4],
  ];
  for (const [text, tasks, limit] of cases) {
    const array = parseTaskArray(text);
    assertEquals([array.tasks, array.limit], [tasks, limit]);
  }
  assertEquals(parseTaskArray("1-1000").tasks.length, 1000);
});

Deno.test("task array - what can't be is refused, and quickly", () => {
  const wrong = ["", "a", "1-", "-1", "3-1", "1,,2", "1-3:0", "1%0", "1%", "0-999999999", "1 2"];
  for (const text of [...wrong, "$(id)", "0-9\n%2", "1\0"]) {
    const error = assertThrows(() => parseTaskArray(text), StreamError);
    assertEquals(error.code, "bad_request", text);
  }
});

Deno.test("task array - sbatch gets it short, and it wins over the script's", () => {
  assertEquals(arrayValue({ tasks: [0, 1, 2, 5, 7, 8] }), "0-2,5,7-8");
  const script = { directives: ["#SBATCH -a 0-99 --time=1"], name: "x.sh" };
  const { args } = sbatchArguments({}, script, { tasks: [1, 2], limit: 1 });
  assertEquals(args, ["--array=1-2%1", "--job-name=x.sh"]);
  assertThrows(() => sbatchArguments({}, script), StreamError, "streamAll()");
});

Deno.test("task array - a task's output file is found", () => {
  const at = { workdir: "/w" };
  assertEquals(slurmOutput("12_3", at), "/w/slurm-12_3.out");
  assertEquals(slurmOutput("12_3", { ...at, output: "%A/%3a.log" }), "/w/12/003.log");
  assertEquals(slurmOutput("12_3", { ...at, output: "%j.log" }), undefined);
  assertEquals(slurmOutput("12", { ...at, output: "%a.log" }), undefined);
});

Deno.test("ranks - another word is refused", () => {
  assertEquals(rankSetup(undefined), []);
  const error = assertThrows(() => rankSetup("all" as "merged"), StreamError, '"labelled"');
  assertEquals(error.code, "bad_request");
});
