/**
 * What a scheduler says about a job, in words of ours.
 *
 * @module
 */
import type { ErrorCode } from "../../stream/error_code.ts";

/** How a job ended, as the scheduler tells it. */
export interface JobFate {
  /** `completed`, or the code of the failure. */
  code: "completed" | ErrorCode;
  /** One sentence. */
  message: string;
  /** Facts: `exitCode`, `signal`, `node`, `state`, `reason`. */
  details: Record<string, unknown>;
}

/** One job in one answer of the scheduler. */
export interface JobReport {
  /** Where the job is; `unknown` when the scheduler has no such job (any more). */
  phase: "pending" | "active" | "ended" | "unknown";
  /** The scheduler's own word for it. */
  state: string;
  /** Why it waits or ended, in the scheduler's own words. */
  reason?: string;
  /** 1-based place in the queue, where the scheduler tells. */
  position?: number;
  /** Expected start, in milliseconds since 1970, where the scheduler tells. */
  eta?: number;
  /** The node, once there is one. */
  node?: string;
  /** How often it was started over. */
  restarts?: number;
  /** It waits for something that will never come, while its partition is up. */
  neverStartable?: boolean;
  /** How it ended, in the phase `ended`. */
  fate?: JobFate;
}

/** Gets to hear what the scheduler says about one job. */
export interface ReportListener {
  /** An answer came. */
  report(report: JobReport): void;
  /** The scheduler could not be asked; it is asked again by itself. */
  trouble(error: Error): void;
}

/** One job that is watched. How often the scheduler is asked depends on what is wanted to know. */
export interface JobWatch {
  /** It waits: ask now and then, together with every other job that waits. */
  wait(): void;
  /** It talks to the relay: ask nothing. */
  rest(): void;
  /** It went silent: ask soon, and again until it is known what became of it. */
  investigate(): void;
  /** It is over, or nobody wants to know. */
  stop(): void;
  /** Whether the scheduler starts a job over that ends with this exit code; none does by default. */
  startsOver?(exitCode: number): Promise<boolean>;
}
