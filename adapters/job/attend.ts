/**
 * Joins a supervisor to its channel.
 *
 * @module
 */
import { ControlClient, RelaySupervisor } from "../../client/mod.ts";
import type { StatusEvent } from "../../stream/event.ts";
import type { StreamError } from "../../stream/stream_error.ts";
import type { ChannelEnd, OnDisconnect } from "../../stream/v2_control.ts";
import type { ExecutorConfig } from "../executor_config.ts";
import type { Scheduler } from "../scheduler.ts";
import { SpoolFeed } from "../spool/spool_feed.ts";
import { cancelSpool } from "../spool/spool_folder.ts";
import type { PreparedChannel } from "./prepare_channel.ts";
import { openFailing } from "./sealed_words.ts";
import { Supervisor } from "./supervisor.ts";

/** What {@linkcode attend} is told. */
export interface AttendOptions<C extends ExecutorConfig = ExecutorConfig> {
  /** The channel. */
  channel: PreparedChannel;
  /** Where the job runs. */
  scheduler: Scheduler<C>;
  /** The configuration. */
  config: C;
  /** The files that may hold the job's last words, where they are known: its errors, its output. */
  outputPaths: () => (string | undefined)[];
  /** Seconds that the channel stays under supervision after this process is gone. */
  lease: number;
  /** What becomes of the job when this process goes away. */
  onDisconnect: OnDisconnect;
  /** The channel has its end. */
  onEnd: (end: ChannelEnd) => void;
  /** The relay, or the channel on it, is lost for good. */
  onLost: (error: StreamError) => void;
}

/** A job that is looked after. */
export interface Attendance {
  /** Decides on it. */
  supervisor: Supervisor;
  /** Appends a status to the channel. */
  announce(status: StatusEvent): void;
  /** Stops looking after it, without ending it. */
  leave(): void;
}

/**
 * Connects to a channel as its supervisor.
 *
 * @param options Channel, scheduler, what to call back.
 * @returns The attendance, once the relay has accepted it.
 * @throws {StreamError} As the relay answers.
 */
export async function attend<C extends ExecutorConfig>(
  options: AttendOptions<C>,
): Promise<Attendance> {
  const { scheduler, config, onDisconnect } = options;
  const timings = await scheduler.timings(config);
  const { channel, relay: url, tokens, key, spool } = options.channel;
  const token = tokens.supervise;
  const { programs } = scheduler;
  const feed = spool === undefined || !programs ? undefined : new SpoolFeed({
    machine: programs.machine,
    folder: spool,
    relay: url,
    channel,
    token: tokens.produce,
    timings,
    giveUpAfter: config.giveUpAfter,
    trouble: ({ message: reason }) =>
      announce({ type: "status", state: "disconnected", reason, ts: Date.now() }),
    broken: ({ code, message, details }) => {
      if (code !== "ended") supervisor.conclude({ code, message, details });
    },
  });
  const supervisor: Supervisor = new Supervisor({
    control: new ControlClient({ url, token }),
    channel,
    announce: (status) => announce(status),
    watch: (jobId, listener) => scheduler.watch(jobId, listener, { ...config, timings }),
    cancelJob: (jobId) => scheduler.cancelJob(jobId),
    output: async (jobId) => {
      for (const path of options.outputPaths()) {
        const text = await scheduler.output(jobId, path);
        if (text) return text;
      }
    },
    timings,
    ...(feed && { settle: (heard) => feed.settle(heard) }),
    announceRunning: config.producer?.script ?? false,
    ...(key !== undefined && { open: (status) => openFailing(key, channel, status) }),
    lost: options.onLost,
  });
  const relay = new RelaySupervisor({
    url,
    channel,
    token,
    key: "",
    lease: options.lease,
    onDisconnect,
    retry: { giveUpAfter: config.giveUpAfter },
    signal: options.channel.lost,
    onStatus: (status) => supervisor.producerStatus(status),
    onCancel(request) {
      supervisor.cancelled(request);
      if (spool === undefined || !programs) return;
      // a job that the scheduler does not end looks for it there
      cancelSpool(programs, spool, request).catch(() => {});
    },
    onEnd: options.onEnd,
    onFailed: options.onLost,
  });
  const announce = ({ type: _type, ...status }: StatusEvent) => {
    try {
      relay.status(status);
    } catch {
      // the channel has its end, or is lost: there is nobody left to tell
    }
  };
  try {
    await relay.connect();
  } catch (error) {
    supervisor.stop();
    feed?.stop().catch(() => {});
    throw error;
  }
  return {
    supervisor,
    announce,
    leave() {
      supervisor.stop();
      feed?.stop().catch(() => {});
      relay.close();
    },
  };
}
