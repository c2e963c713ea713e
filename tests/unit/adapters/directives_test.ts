/** The user's own directives. @module */
import { assertEquals } from "@std/assert";
import { parseDirectives, readDirectives } from "../../../adapters/directives.ts";

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
