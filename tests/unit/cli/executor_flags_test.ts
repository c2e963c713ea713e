/** @module */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { EXECUTOR_FLAGS, typedOptions } from "../../../cli/executor_flags.ts";
import { EXECUTOR_KINDS, type ExecutorKind } from "../../../cli/executor_kind.ts";
import type { Given } from "../../../cli/given.ts";
import { parseFlags } from "../../../cli/parse_flags.ts";
import { profileShape } from "../../../cli/profile.ts";
import { command } from "../../../cli/run.ts";
import { UsageError } from "../../../cli/usage_error.ts";

/** Values of flags that take no text. */
const VALUES: Record<string, string> = {
  "gpus": "1",
  "nodes": "2",
  "ntasks": "2",
  "mpiprocs": "2",
  "cpus": "4",
  "encryption": "v2",
  "transport": "file",
  "credentials": "file",
  "on-disconnect": "90s",
  "env": "NAME=value=1",
  "endpoint-config": "nodes=2",
  "endpoint": "4b116d3c-1703-4f8f-9f6f-39921e5864df",
  "function-uuid": "4b116d3c-1703-4f8f-9f6f-39921e5864df",
};

/** Flags that choose the executor and its relay. */
const CHOOSING = ["profile", "url", "token", "token-file", "job-url", "relay"];

function given(...args: string[]): Given {
  const parsed = parseFlags(command, args);
  assert(parsed !== "help");
  return parsed;
}

function options(kind: ExecutorKind, ...args: string[]): Record<string, unknown> {
  return typedOptions(given(...args), kind);
}

for (const kind of EXECUTOR_KINDS) {
  Deno.test(`executor flags - run ${kind}: each is an option that a profile has too, or is refused`, () => {
    const known: string[] = [];
    for (const { name } of EXECUTOR_FLAGS) {
      if (CHOOSING.includes(name)) continue;
      const flag = `--${name}=${VALUES[name] ?? "word"}`;
      try {
        assertEquals(Object.keys(options(kind, flag)).length, 1, flag);
        known.push(flag);
      } catch (error) {
        assert(error instanceof UsageError, String(error));
        assert(error.message.startsWith(`Cannot use --${name} with run ${kind}: `), error.message);
      }
    }
    // a login node's ssh_config belongs to the login node
    const all = options(kind, ...known);
    const { success, error } = profileShape.safeParse({ executor: kind, ...all });
    assert(success, JSON.stringify(error?.issues));
  });
}

Deno.test("executor flags - parts of an option, numbers, lists, JSON", () => {
  assertEquals(
    options("slurm", "--nodes", "2-4", "--via", "login1", "--ssh-config", "c", "--extra=-x"),
    { nodes: "2-4", via: { ssh: "login1", config: "c" }, extra: ["-x"] },
  );
  assertEquals(options("pbs", "--nodes", "2", "--mpiprocs", "8", "--on-disconnect", "keep"), {
    nodes: 2,
    tasks: 8,
    onDisconnect: { running: "keep" },
  });
  const config = ["nodes=2", "walltime=00:10:00", 'account="123"'].flatMap((pair) => [
    "--endpoint-config",
    pair,
  ]);
  assertEquals(options("globus", "--mpiprocs", "8", "--ntasks", "16", ...config), {
    resourceSpecification: { ranks_per_node: 8, num_ranks: 16 },
    userEndpointConfig: { nodes: 2, walltime: "00:10:00", account: "123" },
  });
  const { message } = assertThrows(() => options("pbs", "--nodes", "2-4"), UsageError);
  assertEquals(message, 'Cannot parse --nodes "2-4": expected a whole number');
});
