/**
 * What the control API's JSON bodies may hold.
 *
 * @module
 */
import { z } from "zod";
import { CODES, type ErrorCode } from "../../stream/mod.ts";

const seconds = z.number().min(0).max(10 * 365 * 86_400);
const keepOrSeconds = z.union([z.literal("keep"), seconds]);
const onDisconnect = z.strictObject({
  pending: keepOrSeconds.optional(),
  running: keepOrSeconds.optional(),
});
const instance = z.string().min(1).max(128);
const details = z.record(z.string(), z.unknown());
const code = z.enum(Object.keys(CODES) as [ErrorCode, ...ErrorCode[]]);

/** Most tasks of one array; Slurm's own bound is 1,001 unless a site raised it. */
const MOST_TASKS = 1_000;

/** `POST /v1/channels` */
export const createBody = z.strictObject({
  id: z.string().optional(),
  ttl: seconds.optional(),
  keyed: z.boolean().optional(),
  maxBytes: z.number().int().min(1).optional(),
  lease: seconds.optional(),
  onDisconnect: onDisconnect.optional(),
  whenFull: z.enum(["end", "drop-oldest"]).optional(),
});

/** `POST /v1/arrays` */
export const arrayBody = createBody.omit({ id: true }).extend({
  tasks: z.array(z.number().int().min(0).max(4_294_967_294)).min(1).max(MOST_TASKS)
    .refine((tasks) => new Set(tasks).size === tasks.length, "each task once"),
});

/** `POST …/claim` */
export const claimBody = z.strictObject({
  instance,
  continues: z.strictObject({
    epoch: z.number().int(),
    count: z.number().int(),
  }).optional(),
});

/** `POST …/status` */
export const statusBody = z.looseObject({ state: z.string().min(1).max(128) });

/** `POST …/lease` */
export const leaseBody = z.strictObject({
  seconds,
  onDisconnect: onDisconnect.optional(),
});

/** `POST …/end` */
export const endBody = z.strictObject({
  kind: z.enum(["done", "error"]),
  code: code.optional(),
  message: z.string().max(65_536).optional(),
  details: details.optional(),
});

/** `POST …/cancel` */
export const cancelBody = z.strictObject({
  reason: z.string().max(4096).optional(),
});

/** `POST /v1/drain` */
export const drainBody = z.strictObject({ seconds: seconds.optional() });
