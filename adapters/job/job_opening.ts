/**
 * How the job of a stream comes into being.
 *
 * @module
 */
import type { OnDisconnect } from "../../stream/v2_control.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { Scheduler, Submitted } from "../scheduler.ts";
import { type Launch, type PreparedJob, prepareJob } from "./launch.ts";

/** How a run's job comes into being. */
export interface JobOpening<C extends ExecutorConfig = ExecutorConfig> {
  /** Takes its place; returns what gives it back. */
  enter(): () => void;
  /** Readies the job and its channel. */
  prepare(supervision: { lease: number; onDisconnect: OnDisconnect }): Promise<PreparedJob<C>>;
  /** Submits it. */
  submit(prepared: PreparedJob<C>): Promise<Submitted>;
  /** It will not be submitted. */
  withdraw?(): void;
  /** Whether a reader is there before the job can start. */
  readerFirst: boolean;
}

/**
 * A job of its own.
 *
 * @param scheduler Where it is submitted.
 * @param launch What is wanted.
 * @returns How its run begins.
 */
export function openingOf<C extends ExecutorConfig>(
  scheduler: Scheduler<C>,
  launch: Launch<C>,
): JobOpening<C> {
  return {
    enter: () => scheduler.enter(launch.config, 1)[0],
    prepare: (supervision) => prepareJob(scheduler, launch, supervision),
    submit: ({ submission }) => scheduler.submitJob(submission),
    readerFirst: true,
  };
}
