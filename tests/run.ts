/**
 * Runs the tests with all that this machine can give them:
 * `deno task test [paths of tests…]`.
 *
 * Finds, or as root on Debian installs and starts, the systems that the chosen suites need;
 * runs the suites, the examples in the documentation, and the portable tests on Node; stops
 * what it started; prints what was real and what was skipped, what failed, and the totals
 * last.
 * `REQUIRE=slurm,python` turns the absence of these systems into a failure.
 *
 * @module
 */
import type { Provided } from "./systems/provided.ts";
import { providers, type SystemName } from "./systems/providers.ts";
import { failureText } from "./tools/failure_text.ts";
import { printReport, type Row } from "./tools/print_report.ts";
import { isPortable, runOnNode } from "./tools/run_on_node.ts";
import { runTests } from "./tools/run_tests.ts";
import { sourceFiles } from "./tools/source_files.ts";
import { denoTotals } from "./tools/totals.ts";

const PUBLIC_FOLDERS = ["stream", "client", "server", "adapters", "cli", "std"];
// One after the other: the suites share systems, and a small machine has few cores.
const DENO_TEST = [Deno.execPath(), "test", "-A", "--no-prompt"];

async function main(args: readonly string[]): Promise<number> {
  const required = requirements(Deno.env.get("REQUIRE") ?? "");
  const files = await chosenFiles(args);
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    Deno.addSignalListener(signal, () => stop.abort());
  }

  const systems: Provided[] = [];
  const rows: Row[] = [];
  try {
    const wanted = args.length ? await namedSystems(files) : allSystems();
    for (const name of wanted.union(required)) {
      if (stop.signal.aborted) break;
      console.log(`Looking for ${name} …`);
      systems.push(await providers[name]());
    }
    const env = Object.assign({}, ...systems.map((system) => system.env));
    rows.push(...await runSuites(files, env, stop.signal));
    if (!args.length) rows.push(await runExamples(env, stop.signal));
    rows.push(
      ...await runPortable(files, env, systems, stop.signal),
    );
  } finally {
    for (const system of systems.toReversed()) await system.stop();
  }

  const unmet = [...required].filter((name) =>
    !systems.some((system) => system.name === name && system.kind !== "skipped")
  );
  if (stop.signal.aborted) {
    rows.push({
      name: "interrupted",
      totals: { passed: 0, failed: 1, skipped: 0 },
    });
  }
  const { failed } = printReport(rows, systems, unmet);
  return failed === 0 ? 0 : 1;
}

async function runSuites(
  files: readonly string[],
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Row[]> {
  const rows: Row[] = [];
  const suites = Map.groupBy(files, (file) => file.split("/")[1]);
  for (const [name, members] of suites) {
    if (signal.aborted) break;
    rows.push(await runDenoTest(name, members, env, signal));
  }
  return rows;
}

/** Runs the examples in the documentation comments of everything public. */
async function runExamples(
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Row> {
  const name = "examples in the documentation";
  const files: string[] = [];
  for (const folder of ["", ...PUBLIC_FOLDERS]) {
    for (const file of await sourceFiles(folder)) {
      if (/^ \* ```ts$/m.test(await Deno.readTextFile(file))) files.push(file);
    }
  }
  if (signal.aborted) return { name, reason: "interrupted" };
  return await runDenoTest(name, ["--doc", ...files], env, signal);
}

async function runDenoTest(
  name: string,
  args: readonly string[],
  env: Record<string, string>,
  signal: AbortSignal,
): Promise<Row> {
  const { code, output } = await runTests([...DENO_TEST, ...args], { env, signal });
  const failure = code === 0 ? undefined : failureText(output);
  return { name, totals: denoTotals(output, code), failure };
}

/** Runs what must also pass on Node there. */
async function runPortable(
  files: readonly string[],
  env: Record<string, string>,
  systems: readonly Provided[],
  signal: AbortSignal,
): Promise<Row[]> {
  const portable = files.filter(isPortable);
  if (portable.length === 0) return [];
  const name = "stream and client on Node 22";
  const node = env.STREAMRELAY_TEST_NODE22;
  if (!node || signal.aborted) {
    const reason = systems.find((system) => system.name === "node22")?.reason;
    return [{ name, reason: reason ?? "interrupted" }];
  }
  return [{ name, totals: await runOnNode(node, portable, signal) }];
}

/** The test files under the given paths; all of them if none is given. */
async function chosenFiles(paths: readonly string[]): Promise<string[]> {
  const all = await sourceFiles("tests", "_test.ts");
  if (paths.length === 0) return all;
  const wanted = paths.map((path) => path.replace(/^\.\//, "").replace(/\/$/, ""));
  for (const path of wanted) {
    if (!all.some((file) => isUnder(file, path))) {
      throw new Error(`No test file is or is under "${path}"`);
    }
  }
  return all.filter((file) => wanted.some((path) => isUnder(file, path)));
}

function isUnder(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}

/** The systems that test files name in calls of `needs`. */
async function namedSystems(
  files: readonly string[],
): Promise<Set<SystemName>> {
  const found = new Set<SystemName>();
  for (const file of files) {
    if (isPortable(file)) found.add("node22");
    const text = await Deno.readTextFile(file);
    for (const [, names] of text.matchAll(/\bneeds\(([^)]*)\)/g)) {
      for (const name of allSystems()) {
        if (names.includes(`"${name}"`)) found.add(name);
      }
    }
  }
  return found;
}

function allSystems(): Set<SystemName> {
  return new Set(Object.keys(providers).filter(isSystem));
}

function isSystem(name: string): name is SystemName {
  return Object.hasOwn(providers, name);
}

function requirements(list: string): Set<SystemName> {
  const names = list.split(",").map((name) => name.trim()).filter(Boolean);
  return new Set(names.map((name) => {
    if (isSystem(name)) return name;
    const known = Object.keys(providers).join(", ");
    throw new Error(`REQUIRE names "${name}"; there are ${known}`);
  }));
}

Deno.chdir(new URL("../", import.meta.url));
Deno.exit(await main(Deno.args));
