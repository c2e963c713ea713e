/** What the README prints works as printed: links, programs, commands. @module */
import { assertEquals, assertMatch } from "@std/assert";
import { person } from "./command_line.ts";

const ROOT = new URL("../../", import.meta.url);
const README = await Deno.readTextFile(new URL("README.md", ROOT));
const CLI = `deno run -A ${new URL("cli.ts", ROOT).pathname}`;

/** The fenced blocks of a language. */
function blocks(language: string): string[] {
  return [...README.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .filter(([, its]) => its === language).map(([, , text]) => text);
}

/** The block that holds some words. */
function blockWith(language: string, words: string): string {
  const block = blocks(language).find((text) => text.includes(words));
  if (block === undefined) throw new Error(`README.md has no ${language} block with ${words}`);
  return block;
}

/** A file with a program of the README's, which imports this working tree. */
async function programFile(folder: string, text: string): Promise<string> {
  const path = `${folder}/program.ts`;
  await Deno.writeTextFile(
    path,
    text.replace("jsr:@streamrelay/cli", new URL("mod.ts", ROOT).href),
  );
  return path;
}

Deno.test("readme - every link of the documents leads somewhere", async () => {
  const documents = ["README.md", "CONTRIBUTING.md", "examples/README.md"];
  for await (const { name } of Deno.readDir(new URL("docs/", ROOT))) documents.push(`docs/${name}`);
  const dead: string[] = [];
  for (const document of documents) {
    const here = new URL(document, ROOT);
    const text = await Deno.readTextFile(here);
    for (const [, target] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target)) continue;
      const to = new URL(target, here);
      const page = await Deno.readTextFile(to).catch(async () =>
        (await Deno.stat(to).catch(() => undefined))?.isDirectory ? "" : undefined
      );
      const anchors = [...(page ?? "").matchAll(/^#+ (.*)$/gm)].map(([, heading]) =>
        heading.toLowerCase().replace(/[^\w\s-]/g, "").trim().replaceAll(" ", "-")
      );
      const found = page !== undefined && (to.hash === "" || anchors.includes(to.hash.slice(1)));
      if (!found) dead.push(`${document}: ${target}`);
    }
  }
  assertEquals(dead, []);
});

Deno.test("readme - the two commands name tasks that there are", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const named = [...README.matchAll(/^npx -y deno@\d+\.\d+\.\d+ task (\w+)/gm)];
  assertEquals(named.map(([, task]) => task), ["demo", "test"]);
  for (const [, task] of named) assertMatch(tasks[task], /^deno run -A /);
});

Deno.test("readme - the program that runs here does", async () => {
  await using somebody = await person(
    [Deno.execPath(), "run", "-A", "--quiet", "--config", new URL("deno.json", ROOT).pathname],
  );
  const program = await programFile(somebody.home, blockWith("ts", "LocalExecutor"));
  const { code, stdout, stderr } = await somebody.run([program]);
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /type: "token", content: "HELLO\\n"/);
  assertMatch(stdout, /type: "done"/);
});

Deno.test("readme - a job that is submitted in a way of one's own finds its channel", async () => {
  await using somebody = await person(["bash", "-c"]);
  const relay = somebody.start([`exec ${CLI} serve --port 0`]);
  await relay.printed(/Relay at /);
  const text = blockWith("sh", "channel new --export")
    // the scheduler's part, by hand
    .replace(/^sbatch my-job\.sh.*$/m, 'bash -c "$JOB"');
  const job = "my-program | streamrelay produce";
  const { code, stdout, stderr } = await somebody.run([
    `streamrelay() { ${CLI} "$@"; }; my-program() { echo words; }; export -f streamrelay my-program
${text}`,
  ], { env: { JOB: job } });
  assertEquals([code, stdout], [0, "words\n"], stderr);
});

Deno.test("readme - its commands and flags are those that there are", async () => {
  await using somebody = await person();
  const lines = blocks("sh").join("").split("\n")
    .flatMap((line) => line.match(/(?:^|\$\(|\| ?)streamrelay ([^#|)]*)/)?.[1]?.trim() ?? []);
  assertEquals(lines.length >= 8, true, lines.join("\n"));
  for (const line of lines) {
    const [name, second] = line.split(" ");
    const command = name === "channel" ? [name, second] : [name];
    const { code, stdout } = await somebody.run([...command, "--help"]);
    assertEquals(code, 0, line);
    for (const [flag] of line.matchAll(/--[a-z-]+/g)) assertMatch(stdout, new RegExp(`${flag} `));
  }
});
