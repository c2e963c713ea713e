/** Every command tells how it is used. @module */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { commandHelp } from "../../../cli/help.ts";
import { COMMANDS } from "../../../cli/main.ts";
import { parseFlags } from "../../../cli/parse_flags.ts";

for (const [name, load] of Object.entries(COMMANDS)) {
  Deno.test(`help - ${name} names its flags, examples and exit codes`, async () => {
    const { command } = await load();
    assertEquals(command.name, name);
    const help = commandHelp(command);
    for (const flag of command.flags) assert(help.includes(`--${flag.name}`), flag.name);
    assertMatch(help, /\nExamples:\n {2}\S/);
    assertMatch(help, /\nExit codes:\n {2}0 /);
    assertEquals(parseFlags(command, ["--help"]), "help");
    const names = command.flags.map((flag) => flag.name);
    assertEquals(new Set(names).size, names.length);
    for (const flag of command.flags.filter((flag) => flag.secret)) {
      assert(names.includes(`${flag.name}-file`), `--${flag.name} has no form as a file`);
      assert(flag.env && flag.env.length > 0, `--${flag.name} has no variable`);
    }
  });
}
