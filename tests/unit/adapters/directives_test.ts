/** The user's own directives. @module */
import { assertEquals, assertThrows } from "@std/assert";
import { mergeDirectives, parseDirectives, readDirectives } from "../../../adapters/directives.ts";

Deno.test("directives - those that sbatch would find, and no others", () => {
  const script = [
    "#!/bin/bash",
    "# a comment",
    "",
    "#SBATCH -p gpu\t",
    "  #SBATCH --indented",
    "#SBATCHX --other",
    "#PBS -N x",
    "#SBATCH --mem=4G\r",
    "set -e",
    "#SBATCH --late",
  ].join("\n");
  const { directives, body } = readDirectives(script, "#SBATCH");
  assertEquals(directives, ["#SBATCH -p gpu", "#SBATCH --mem=4G"]);
  assertEquals(body, script);
});

Deno.test("directives - options in every form", () => {
  const options = parseDirectives([
    `#SBATCH -p gpu -n4 --exclusive --time 5 --comment="it's a \\"b\\"" # why`,
  ]);
  assertEquals(options.map(({ name, value }) => [name, value]), [
    ["partition", "gpu"],
    ["ntasks", "4"],
    ["exclusive", undefined],
    ["time", "5"],
    ["comment", `it's a "b"`],
  ]);
});

Deno.test("directives - what is asked for explicitly wins, in either spelling", () => {
  assertEquals(
    mergeDirectives(
      ["#SBATCH -p cpu --mem=4G", "#SBATCH --time 5", "#SBATCH -J mine"],
      ["#SBATCH --partition=gpu", "#SBATCH -t 10"],
    ),
    ["#SBATCH --mem=4G", "#SBATCH -J mine", "#SBATCH --partition=gpu", "#SBATCH -t 10"],
  );
});

Deno.test("directives - PBS resources add up", () => {
  assertEquals(
    mergeDirectives(["#PBS -l ncpus=2 -N a"], ["#PBS -l walltime=1:00", "#PBS -N b"]),
    ["#PBS -l ncpus=2", "#PBS -l walltime=1:00", "#PBS -N b"],
  );
});

Deno.test("directives - one of ours with a line break is refused", () => {
  assertThrows(() => mergeDirectives([], ["#SBATCH -J a\nrm x"]), Error, "one line");
});
