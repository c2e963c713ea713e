/**
 * The options of executors as flags. A flag means the same for every executor that knows it.
 *
 * @module
 */
import type { Flag } from "./command.ts";
import { RELAY_FLAGS } from "./channel_address.ts";
import { EXECUTOR_KINDS, type ExecutorKind, orOf } from "./executor_kind.ts";
import type { Given } from "./given.ts";
import { UsageError } from "./usage_error.ts";

/** A flag that some executors know. */
interface OwnFlag extends Flag {
  value: string;
  /** What the option is called there; behind a dot, in which part of it. */
  of: Partial<Record<ExecutorKind, string>>;
  /** How it is read, if not as a text. */
  as?: (given: Given, name: string, kind: ExecutorKind) => unknown;
}

const NAMES: Record<ExecutorKind, string> = {
  local: "local",
  slurm: "Slurm",
  pbs: "PBS",
  ssh: "ssh",
  globus: "Globus",
};

const typedText = (given: Given, name: string) => given.typed(name);
const number = (given: Given, name: string) => given.number(name);
const list = (given: Given, name: string) => unlessEmpty(given.list(name));
const both = (option: string) => ({ slurm: option, pbs: option });

const OWN_FLAGS: readonly OwnFlag[] = [
  own("partition", "NAME", { slurm: "partition" }, "partition, or several with commas"),
  own("queue", "NAME", { pbs: "queue" }, "queue"),
  own("gres", "LIST", { slurm: "gres" }, "generic resources: gpu:1"),
  own("gpus", "N", { pbs: "gpus" }, "GPUs a node", number),
  own(
    "time",
    "LIMIT",
    { ...both("time"), globus: "time" },
    "time limit: minutes, or [days-]hours:minutes:seconds",
  ),
  own("account", "NAME", both("account"), "account to charge"),
  own("project", "NAME", { pbs: "project" }, "project"),
  own("qos", "NAME", { slurm: "qos" }, "quality of service"),
  own("constraint", "LIST", { slurm: "constraint" }, "features of the node"),
  own(
    "nodes",
    "N",
    { ...both("nodes"), globus: "resourceSpecification.num_nodes" },
    "number of nodes; with Slurm also a range",
    (given, name, kind) => kind === "slurm" ? given.typed(name) : given.number(name),
  ),
  own(
    "ntasks",
    "N",
    { slurm: "tasks", globus: "resourceSpecification.num_ranks" },
    "number of tasks",
    number,
  ),
  own(
    "mpiprocs",
    "N",
    { pbs: "tasks", globus: "resourceSpecification.ranks_per_node" },
    "MPI processes a node",
    number,
  ),
  own("cpus", "N", both("cpus"), "CPUs a task; with PBS, a node", number),
  own("mem", "SIZE", both("memory"), "memory a node: 16G"),
  own("select", "CHUNKS", { pbs: "select" }, "what to ask for in its own words: 2:ncpus=8:ngpus=1"),
  own("place", "HOW", { pbs: "place" }, "how the nodes are to lie: scatter:excl"),
  own("extra", "FLAG", both("extra"), "one more flag of sbatch or qsub", list),
  own("bin", "DIR", both("bin"), "folder of the scheduler's programs"),
  own("via", "LOGIN", both("via.ssh"), "login node to submit on, over ssh"),
  own("host", "HOST", { ssh: "host" }, "the host, as ssh takes it: a name, or user@name"),
  own(
    "ssh-config",
    "FILE",
    { ...both("via.config"), ssh: "sshConfig" },
    "another ssh_config than the user's",
  ),
  own("endpoint", "UUID", { globus: "endpoint" }, "the endpoint"),
  own(
    "endpoint-config",
    "NAME=VALUE",
    { globus: "userEndpointConfig" },
    "variable of the endpoint's template; JSON, or a text",
    (given, name) => pairs(given, name, jsonOrText),
  ),
  own(
    "function-uuid",
    "UUID",
    { globus: "functionUuid" },
    "the function that runs scripts, as globus register prints it",
  ),
  own(
    "on-disconnect",
    "TIME",
    { ...both("onDisconnect.running"), globus: "onDisconnect.running" },
    "when a running job whose reader is gone is cancelled: 60s by default, or keep",
    (given, name) => given.typed(name) === "keep" ? "keep" : given.seconds(name),
  ),
];

/** Flags of every executor. */
export const EXECUTOR_FLAGS: readonly Flag[] = [
  {
    name: "profile",
    value: "NAME",
    help: "Profile of the configuration file",
    env: ["STREAMRELAY_PROFILE"],
  },
  ...RELAY_FLAGS.map((flag) =>
    flag.name === "url"
      ? {
        ...flag,
        help: "The relay; by default one of this user's on this machine, started where none runs",
      }
      : flag
  ),
  {
    name: "relay",
    value: "PLACE",
    help: "embedded: one on this machine, or via: one on the login node, for as long as this runs",
  },
  {
    name: "job-url",
    value: "URL",
    help: "The relay as the job sees it, where that is another URL",
    env: ["STREAMRELAY_JOB_URL"],
  },
  {
    name: "encryption",
    value: "VERSION",
    help: "v2 (default); v1, for a program that streams by the Python package; or off",
  },
  {
    name: "transport",
    value: "WAY",
    help:
      "relay (default), or file, for nodes that reach no relay: by files on a shared file system",
  },
  { name: "spool-folder", value: "DIR", help: "Folder of these files, which nodes see" },
  {
    name: "producer",
    value: "FILE",
    help: "What sends the output, on the node: a compiled producer",
  },
  {
    name: "credentials",
    value: "HOW",
    help: "script or file: how the job gets its token; file where a site archives scripts",
  },
  { name: "name", value: "NAME", help: "Name of the job" },
  { name: "output", value: "FILE", help: "The job's output file" },
  { name: "error", value: "FILE", help: "The job's error file" },
  { name: "workdir", value: "DIR", help: "Folder the script runs in" },
  {
    name: "setup",
    value: "LINE",
    help: "Line run before the script: module load …",
    many: true,
  },
  {
    name: "env",
    value: "NAME=VALUE",
    help: "Variable of the script's environment; everybody may read it",
    many: true,
  },
  ...OWN_FLAGS.map(({ name, value, help, of, many }) => ({
    name,
    value,
    help: `${
      EXECUTOR_KINDS.filter((kind) => of[kind]).map((kind) => NAMES[kind]).join(", ")
    }: ${help}`,
    ...(many && { many }),
  })),
];

/**
 * The options that were typed.
 *
 * @param given What was typed, of {@linkcode EXECUTOR_FLAGS}.
 * @param kind The executor.
 * @returns Its options.
 * @throws {UsageError} For a flag that this executor does not know, or a value that can't be.
 */
export function typedOptions(given: Given, kind: ExecutorKind): Record<string, unknown> {
  const typed: Record<string, unknown> = {
    encryption: given.choice("encryption", ["v2", "v1", "off"]),
    transport: given.choice("transport", ["relay", "file"]),
    spoolFolder: given.typed("spool-folder"),
    producer: given.typed("producer") && { path: given.typed("producer") },
    credentials: given.choice("credentials", ["script", "file"]),
    setup: list(given, "setup"),
    env: pairs(given, "env", (text) => text),
  };
  for (const name of ["name", "output", "error", "workdir"]) typed[name] = given.typed(name);
  for (const { name, of, as = typedText } of OWN_FLAGS) {
    if (given.typed(name) === undefined && given.list(name).length === 0) continue;
    const place = of[kind];
    if (place === undefined) {
      const others = EXECUTOR_KINDS.filter((other) => of[other]).map((other) => `run ${other}`);
      throw new UsageError(`Cannot use --${name} with run ${kind}: expected ${orOf(others)}`);
    }
    const [option, part] = place.split(".");
    const value = as(given, name, kind);
    typed[option] = part === undefined ? value : { ...typed[option] as object, [part]: value };
  }
  return Object.fromEntries(Object.entries(typed).filter(([, value]) => value !== undefined));
}

function own(
  name: string,
  value: string,
  of: OwnFlag["of"],
  help: string,
  as?: OwnFlag["as"],
): OwnFlag {
  return { name, value, of, help, as, ...((as === list || /=/.test(value)) && { many: true }) };
}

function unlessEmpty<T>(values: T[]): T[] | undefined {
  return values.length > 0 ? values : undefined;
}

function pairs<T>(
  given: Given,
  name: string,
  read: (text: string) => T,
): Record<string, T> | undefined {
  const entries = unlessEmpty(given.list(name))?.map((pair): [string, T] => {
    const at = pair.indexOf("=");
    if (at < 1) {
      throw new UsageError(
        `Cannot parse --${name} ${JSON.stringify(pair)}: expected NAME=VALUE`,
      );
    }
    return [pair.slice(0, at), read(pair.slice(at + 1))];
  });
  return entries && Object.fromEntries(entries);
}

function jsonOrText(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
