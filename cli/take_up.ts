/**
 * The stream of a job that was submitted before.
 *
 * @module
 */
import { channelConsumer } from "../adapters/job/channel_consumer.ts";
import {
  type Executor,
  GlobusComputeExecutor,
  type GlobusLogin,
  PbsExecutor,
  SlurmExecutor,
  type SubmittedJob,
  type Whereabouts,
} from "../adapters/mod.ts";
import { ControlClient } from "../client/mod.ts";
import type { TokenStream } from "../stream/mod.ts";
import { readConfig } from "./config.ts";
import { globusLoginOf } from "./globus_login_of.ts";

/** The longest queue time and wall time together, in seconds. */
const LEASE = 604_800;

/**
 * Takes a job's stream up. Where nobody looks after a scheduler's job any more, this process does
 * while it reads: only a supervisor can find out why a job failed.
 *
 * @param job The job.
 * @param from First record wanted.
 * @returns Its stream.
 * @throws {StreamError} As the relay answers.
 */
export async function takeUp(job: SubmittedJob, from = 0): Promise<TokenStream> {
  const { relay: url, channel, tokens } = job;
  const control = new ControlClient({ url, token: tokens.consume });
  const { end, supervisors, incarnation } = await control.info(channel);
  const orphan = !end && supervisors === 0;
  if (orphan && from === 0 && incarnation === job.incarnation) {
    const executor = await supervisorOf(job);
    if (executor) return executor.attach(job);
  }
  return channelConsumer(job, { from }).stream();
}

/**
 * An executor that can look after a job of a scheduler's, on the cluster where it was submitted, and
 * leaves it alone when it goes.
 *
 * @param job The job.
 * @returns The executor; `undefined` for a job that lives no longer than the process which started it.
 */
export async function supervisorOf(job: SubmittedJob): Promise<Executor | undefined> {
  const { executor, relay, via, whereabouts = {} } = job;
  const config = {
    relay: { url: relay },
    lease: LEASE,
    onDisconnect: { pending: "keep", running: "keep" },
  } as const;
  const { bin, env = {}, clientId: _whose, ...globus } = whereabouts;
  // the cluster that the job is on, whatever this terminal is set up for
  for (const [name, value] of Object.entries(env)) Deno.env.set(name, value);
  switch (executor) {
    case "slurm":
      return new SlurmExecutor({ ...config, bin, via }) as Executor;
    case "pbs":
      return new PbsExecutor({ ...config, bin, via }) as Executor;
    case "globus": {
      const login = await loginFor(whereabouts);
      return new GlobusComputeExecutor({
        ...config,
        ...globus,
        ...(login && { login }),
      }) as Executor;
    }
  }
}

/** The login that a job was submitted with: its secret is where it was, and not in the record. */
async function loginFor({ clientId, endpoint }: Whereabouts): Promise<GlobusLogin | undefined> {
  const named = Deno.env.get("GLOBUS_COMPUTE_CLIENT_ID");
  if (Deno.env.get("STREAMRELAY_GLOBUS_TOKEN")) return undefined;
  if (clientId !== undefined && clientId === named) return undefined;
  const { profiles = {} } = await readConfig();
  const configured = Object.values(profiles).find(({ login, endpoint: its }) =>
    login !== undefined &&
    ("clientId" in login ? login.clientId === clientId : clientId === undefined && its === endpoint)
  );
  return await globusLoginOf(configured?.login) ??
    (clientId === undefined ? undefined : { clientId });
}
