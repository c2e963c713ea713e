/**
 * Ending a program and all that it started.
 *
 * @module
 */
import process from "node:process";
import { pause, seconds } from "./settings.ts";

/** Signals to a whole job; what to do about them is the wrapper's business. */
export const JOB_SIGNALS = [
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGUSR1",
  "SIGUSR2",
  "SIGQUIT",
] as const;

/**
 * Sends SIGTERM to a process group and, after `STREAMRELAY_KILL_AFTER` seconds, SIGKILL.
 *
 * @param group Its id.
 */
export async function endGroup(group: number): Promise<void> {
  if (!signalGroup(group, "SIGTERM")) return;
  await pause(seconds("KILL_AFTER", 5) * 1000);
  signalGroup(group, "SIGKILL");
}

/**
 * Sends a signal to a process group.
 *
 * @param group Its id.
 * @param signal The signal's name.
 * @returns Whether there was one to send it to.
 */
export function signalGroup(group: number, signal: string): boolean {
  try {
    process.kill(-group, signal);
    return true;
  } catch {
    return false;
  }
}
