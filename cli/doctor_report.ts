/** @module */
import type { Diagnosis } from "../adapters/doctor/diagnose.ts";

/** A diagnosis, and the profile of the configuration file that follows from it. */
export interface Report extends Diagnosis {
  /** The profile, without any secret. */
  profile: Record<string, unknown>;
}

const WORDS = { ok: "ok", warning: "warning", problem: "PROBLEM", skipped: "–" } as const;

/**
 * Prints what is to be said of a node: a line a check, what to do behind an arrow, the verdict, and the
 * profile to use.
 *
 * @param report What is to be said.
 * @param json Whether a program reads it: then it is one object on one line.
 */
export function printReport(report: Report, json: boolean): void {
  const { node, findings, produces, verdict, profile } = report;
  if (json) {
    console.log(JSON.stringify({ node, produces, verdict, checks: findings, profile }));
    return;
  }
  for (const { check, state, message, advice } of findings) {
    const line = `${WORDS[state].padEnd(8)} ${check.padEnd(10)} ${message}`;
    console.log(line.replaceAll(/\p{Cc}/gu, " "));
    if (advice) console.log(`${" ".repeat(19)} → ${advice}`);
  }
  console.log(`\nVerdict: ${verdict}.`);
  if (produces === "no") return;
  console.log(`\nProfile for the configuration file:\n${JSON.stringify(profile, null, 2)}`);
}
