/**
 * What every executor can be told.
 *
 * @module
 */
import type { OnDisconnect } from "../stream/v2_control.ts";
import type { EmbeddedRelayOptions } from "./relay/embedded_relay.ts";
import type { JobProducer, JobTimings } from "./job/job_script.ts";
import type { RelayChoice } from "./relay/relay_for.ts";
import type { Timings } from "./timings.ts";

/** What to run: the path of a script here, its text, or the path of one that is where the job runs. */
export type Script = string | { text: string } | { remote: string };

/** How a job's stream is encrypted. */
export type StreamEncryption = "v1" | "v2" | "off";

/** Options that all executors share; each can be overridden a call. */
export interface ExecutorConfig {
  /**
   * The relay. `"embedded"` finds or starts one of this user's on this machine; `"via"` starts one on the
   * login node, over the same ssh, which ends with this process.
   *
   * @default `STREAMRELAY_URL` or `RELAY_URL`; else a relay of this user here; else `"embedded"`.
   */
  relay?: "embedded" | "via" | RelayChoice;
  /**
   * How a job's output gets to the relay: from the node, or, where no relay can be reached from there,
   * through files on a shared file system that this side follows, over the same ssh where there is one.
   * The relay is then one that this side reaches; the job has no token and no URL.
   *
   * @default {"relay"}
   */
  transport?: "relay" | "file";
  /**
   * With `transport: "file"`: the folder of these files, on a file system that nodes and the machine
   * that jobs are submitted on share.
   *
   * @default The state folder's `spool` there, in the home folder.
   */
  spoolFolder?: string;
  /** How an embedded relay is started. */
  embedded?: EmbeddedRelayOptions;
  /**
   * Whether streams are encrypted end to end, each under a fresh key that the relay never has. The job
   * then needs deno, node, or python3 with `cryptography` or OpenSSL's libcrypto; curl can't encrypt.
   *
   * `"v1"` is the Python package's: weaker, for it hides the text and notices nothing of what a relay
   * leaves out, repeats or reorders. It is for programs that speak to the relay through that package.
   *
   * @default `"v2"`; `"off"` with `producer: { script: true }`, because a script that speaks to the relay
   * itself, through the Python package, knows no v2.
   */
  encryption?: StreamEncryption;
  /** Lines run before the program: `module load …`, `conda activate …`. */
  setup?: string[];
  /** Folder the program runs in; where the job is submitted from by default. */
  workdir?: string;
  /** Environment of the program. */
  env?: Record<string, string>;
  /** The job's output file; a copy of what is streamed. */
  output?: string;
  /** The job's error file. */
  error?: string;
  /** What sends the program's output to the relay. */
  producer?: JobProducer;
  /**
   * How the job gets its channel's token: in the script, or in a file, mode 0600, that its node can
   * read.
   *
   * @default `"script"`; `"file"` where the scheduler archives scripts.
   */
  credentials?: "script" | "file";
  /**
   * Folder of such files, on a file system that nodes see.
   *
   * @default The state folder's `credentials`.
   */
  credentialsFolder?: string;
  /** What becomes of the job when the reader goes away; kept while pending, cancelled after 60 s once running, by default. */
  onDisconnect?: OnDisconnect;
  /**
   * Seconds that the channel stays under supervision after this process is gone.
   *
   * @default 600; 10 for jobs that live no longer than this process.
   */
  lease?: number;
  /**
   * The same for `submit()`, which leaves at once: the longest queue time and wall time together.
   *
   * @default {604_800}
   */
  detachedLease?: number;
  /** The job's name. */
  name?: string;
  /** Jobs under way at a time; unlimited by default. */
  maxJobs?: number;
  /** Jobs within any hour; unlimited by default. */
  maxJobsPerHour?: number;
  /**
   * Whether the job is remembered in the state folder, so that others of this user's processes can find
   * it.
   *
   * @default `true` for schedulers, `false` for local jobs.
   */
  record?: boolean;
  /** Intervals of this side. */
  timings?: Timings;
  /** Intervals inside the job. */
  jobTimings?: JobTimings;
  /** Milliseconds without a connection to the relay after which the stream fails; 600,000 by default. */
  giveUpAfter?: number;
}

/** Options of one call. */
export type StreamOptions<C extends ExecutorConfig = ExecutorConfig> =
  & Partial<C>
  & {
    /** Cancels the job when it fires. */
    signal?: AbortSignal;
    /** Arguments of the program; everybody on the node can read them. */
    args?: string[];
  };

/** Options of one array. */
export type ArrayOptions<C extends ExecutorConfig = ExecutorConfig> =
  & Partial<Omit<C, "array">>
  & Pick<StreamOptions, "signal" | "args">
  & {
    /**
     * Its tasks: `"0-9"`, `"1,3,5-7"`, `"0-20:5"`, at most 1,000; with `"%4"` behind them, so many run at
     * a time. The script's own directive unless given.
     */
    array?: string;
  };
