/**
 * `POST /v1/arrays`: the channels of a job array, one a task, and the one token that its job script
 * holds.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { randomId } from "../../stream/mod.ts";
import type { RelayContext } from "../relay_context.ts";
import type { ChannelInfo } from "../store/store.ts";
import { demand, type Grant, mintToken } from "../tokens.ts";
import { tokensFor } from "./channel_tokens.ts";
import { arrayBody } from "./control_bodies.ts";
import { readJson } from "./request_body.ts";

/** Most bytes of the request. */
const BODY_BYTES = 128 * 1024;

/**
 * The route under `/v1/arrays`.
 *
 * @param relay The relay.
 * @param grantOf Finds out what a request's credential allows.
 * @returns The route.
 */
export function channelArray(
  relay: RelayContext,
  grantOf: (context: Context) => Promise<Grant>,
): Hono {
  const app = new Hono();
  app.post("/", async (context) => {
    const grant = await grantOf(context);
    demand(grant, "create");
    const { tasks, lease, onDisconnect, ...wanted } = await readJson(
      context.req.raw,
      arrayBody,
      BODY_BYTES,
    );
    // never a name that the asker chose: the token is for every channel whose name begins so
    const id = (grant.prefix ?? "") + randomId();
    const made: ChannelInfo[] = [];
    try {
      for (const task of tasks) {
        const info = await relay.channels.create(grant, { ...wanted, id: `${id}-${task}` });
        made.push(info);
        if (lease !== undefined) {
          await relay.store.renew(info.id, Date.now() + lease * 1000, onDisconnect);
        }
      }
    } catch (error) {
      for (const { id } of made) await relay.channels.delete(id);
      throw error;
    }
    const produce = await mintToken(relay.secret, {
      prefix: `${id}-`,
      roles: ["produce"],
      subject: made[0].owner,
    });
    const channels = await Promise.all(made.map(async (info, i) => ({
      task: tasks[i],
      id: info.id,
      incarnation: info.incarnation,
      tokens: { ...await tokensFor(relay.secret, info), produce },
    })));
    relay.log("info", "array created", { array: id.slice(0, 8), tasks: tasks.length });
    return context.json({ id, channels }, 201);
  });
  return app;
}
