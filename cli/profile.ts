/**
 * What a profile of the configuration can say, and for which executors.
 *
 * @module
 */
import { z } from "zod";
import { EXECUTOR_KINDS, type ExecutorKind, orOf } from "./executor_kind.ts";

const text = z.string().min(1);
const seconds = z.number().nonnegative();
const positive = z.number().positive();
const count = z.number().int().positive();
const orKeep = z.union([z.literal("keep"), seconds]);
const limit = z.union([text, positive]);

/** A relay: a URL, `"embedded"`, `"via"`, or one with all that has to be known. */
export const relayShape = z.union([
  text,
  z.strictObject({
    url: text,
    jobUrl: text.optional(),
    token: text.optional(),
    tokenFile: text.optional(),
  }),
]);

const ssh = {
  config: text.optional(),
  program: text.optional(),
  interactive: z.boolean().optional(),
  persist: count.optional(),
  connectTimeout: count.optional(),
};

/** A name alone is a login node, too. */
const via = z.union([
  text.transform((name) => ({ ssh: name })),
  z.strictObject({ ssh: text, ...ssh }),
]);

const COMMON = {
  executor: z.enum(EXECUTOR_KINDS).optional(),
  relay: relayShape.optional(),
  embedded: z.strictObject({
    host: text.optional(),
    interface: text.optional(),
    idleExit: seconds.optional(),
    maxHeap: positive.optional(),
    runtime: text.optional(),
  }).optional(),
  transport: z.enum(["relay", "file"]).optional(),
  spoolFolder: text.optional(),
  encryption: z.enum(["v2", "v1", "off"]).optional(),
  name: text.optional(),
  output: text.optional(),
  error: text.optional(),
  setup: z.array(z.string()).optional(),
  workdir: text.optional(),
  env: z.record(text, z.string()).optional(),
  producer: z.strictObject({
    path: text.optional(),
    use: z.array(
      z.enum(["streamrelay-producer", "deno", "node", "python3", "curl"]),
    ).optional(),
    script: z.boolean().optional(),
  }).optional(),
  credentials: z.enum(["script", "file"]).optional(),
  credentialsFolder: text.optional(),
  onDisconnect: z.strictObject({
    pending: orKeep.optional(),
    running: orKeep.optional(),
  }).optional(),
  lease: seconds.optional(),
  detachedLease: seconds.optional(),
  maxJobs: count.optional(),
  maxJobsPerHour: count.optional(),
};

/** What only some executors know. */
const OWN = {
  local: { killAfter: positive.optional() },
  slurm: {
    partition: text.optional(),
    gres: text.optional(),
    time: limit.optional(),
    defaultTime: z.string().optional(),
    account: text.optional(),
    qos: text.optional(),
    constraint: text.optional(),
    nodes: limit.optional(),
    tasks: count.optional(),
    cpus: count.optional(),
    memory: limit.optional(),
    extra: z.array(text).optional(),
    bin: text.optional(),
    via: via.optional(),
  },
  pbs: {
    queue: text.optional(),
    select: text.optional(),
    place: text.optional(),
    time: limit.optional(),
    defaultTime: z.string().optional(),
    account: text.optional(),
    project: text.optional(),
    nodes: limit.optional(),
    tasks: count.optional(),
    cpus: count.optional(),
    gpus: count.optional(),
    memory: limit.optional(),
    keep: z.string().optional(),
    extra: z.array(text).optional(),
    bin: text.optional(),
    via: via.optional(),
  },
  ssh: {
    host: text.optional(),
    sshConfig: text.optional(),
    program: text.optional(),
    interactive: z.boolean().optional(),
    persist: count.optional(),
    connectTimeout: count.optional(),
    killAfter: positive.optional(),
  },
  globus: {
    endpoint: z.uuid().optional(),
    functionUuid: z.uuid().optional(),
    userEndpointConfig: z.record(text, z.unknown()).optional(),
    resourceSpecification: z.strictObject({
      num_nodes: count.optional(),
      ranks_per_node: count.optional(),
      num_ranks: count.optional(),
      launcher_options: text.optional(),
    }).optional(),
    time: limit.optional(),
    login: z.union([
      z.strictObject({ clientId: text, clientSecretFile: text.optional() }),
      z.strictObject({ tokenFile: text }),
    ]).optional(),
    lookEvery: positive.optional(),
    lostAfter: positive.optional(),
    serviceUrl: text.optional(),
    authUrl: text.optional(),
    requestTimeout: positive.optional(),
  },
};

/** A profile; what belongs to another executor than its own is refused. */
export const profileShape = z.strictObject({
  ...COMMON,
  ...OWN.local,
  ...OWN.slurm,
  ...OWN.pbs,
  ...OWN.ssh,
  ...OWN.globus,
}).superRefine((profile, context) => {
  const { executor } = profile;
  const stray = executor && strayOption(profile, executor);
  if (stray) context.addIssue({ code: "custom", path: [stray.option], message: stray.message });
});

/** One profile: which executor, with which options. */
export type Profile = z.infer<typeof profileShape>;

/**
 * An option that an executor does not know.
 *
 * @param options Options as a profile has them.
 * @param kind The executor.
 * @returns The first such option, and what to say; `undefined` where all is well.
 */
export function strayOption(
  options: Record<string, unknown>,
  kind: ExecutorKind,
): { option: string; message: string } | undefined {
  const option = Object.keys(options).find((name) => !(name in COMMON) && !(name in OWN[kind]));
  if (option === undefined) return undefined;
  const owners = EXECUTOR_KINDS.filter((other) => option in OWN[other]);
  return { option, message: `It is one of ${orOf(owners)}, and no option of ${kind}` };
}
