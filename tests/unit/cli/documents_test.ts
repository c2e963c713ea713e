/** The documents say what the code says. @module */
import { assertEquals } from "@std/assert";
import { CLI_PATH, renderCli } from "../../tools/generate_cli.ts";
import { CODES_PATH, renderCodes } from "../../tools/generate_codes.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("documents - docs/codes.md is the table of codes (tests/tools/generate_codes.ts)", async () => {
  const kept = await Deno.readTextFile(new URL(CODES_PATH, ROOT));
  assertEquals(kept, await renderCodes());
});

Deno.test("documents - docs/cli.md has every command's help (tests/tools/generate_cli.ts)", async () => {
  const kept = await Deno.readTextFile(new URL(CLI_PATH, ROOT));
  assertEquals(kept, await renderCli(kept));
});
