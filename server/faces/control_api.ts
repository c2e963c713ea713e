/**
 * The control API: channels over plain HTTP, for executors, for producers that can only POST, and for
 * whoever writes a client of their own. `docs/protocol.md` has the table.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { StreamError } from "../../stream/mod.ts";
import type { Channel } from "../channel.ts";
import type { RelayContext } from "../relay_context.ts";
import type { ChannelInfo } from "../store/store.ts";
import { demand, type Grant, type Role } from "../tokens.ts";
import { tokensFor } from "./channel_tokens.ts";
import {
  cancelBody,
  claimBody,
  createBody,
  endBody,
  leaseBody,
  statusBody,
} from "./control_bodies.ts";
import { HttpProducers } from "./http_producers.ts";
import { readRecords, readWriter, waitOf } from "./posted_records.ts";
import { readBytes, readJson } from "./request_body.ts";

/** Most bytes of an input. */
export const INPUT_BYTES: number = 16 * 1024 * 1024;

/** Most bytes of any JSON body. */
const BODY_BYTES = 128 * 1024;

type Task = (
  context: Context,
  channel: Channel,
  grant: Grant,
) => Promise<Response>;

/**
 * The routes under `/v1/channels`.
 *
 * @param relay The relay.
 * @param grantOf Finds out what a request's credential allows.
 * @returns The routes.
 */
export function controlApi(
  relay: RelayContext,
  grantOf: (context: Context) => Promise<Grant>,
): Hono {
  const app = new Hono();
  const producers = new HttpProducers(relay.postTimeout, relay.store, relay.audit);
  /** A request about one channel that is held live meanwhile. */
  const about = (role: Role, task: Task) => async (context: Context) => {
    const grant = await grantOf(context);
    const id = context.req.param("id") ?? "";
    // a request never makes a channel on the way: that is what POST /v1/channels is for
    return await relay.channels.use(id, grant, role, (channel) => task(context, channel, grant), {
      make: false,
    });
  };

  app.post("/", async (context) => {
    const grant = await grantOf(context);
    demand(grant, "create");
    const { lease, onDisconnect, ...wanted } = await readJson(
      context.req.raw,
      createBody,
      BODY_BYTES,
    );
    const info = await relay.channels.create(grant, wanted);
    if (lease !== undefined) {
      await relay.store.renew(info.id, Date.now() + lease * 1000, onDisconnect);
    }
    relay.log("info", "channel created", { channel: info.id.slice(0, 8) });
    const { id, incarnation } = info;
    return context.json({
      id,
      incarnation,
      tokens: await tokensFor(relay.secret, info),
    }, 201);
  });

  app.get("/", async (context) => {
    const grant = await grantOf(context);
    demand(grant, "create");
    const wanted = context.req.query("prefix") ?? "";
    const mine = grant.channel ?? grant.prefix ?? "";
    if (!wanted.startsWith(mine) && !mine.startsWith(wanted)) {
      throw new StreamError(
        "forbidden",
        `Cannot list ${JSON.stringify(wanted)}: the token is for other channels than these`,
      );
    }
    const channels = (await relay.store.list(wanted.length > mine.length ? wanted : mine))
      .filter(({ id }) => grant.channel === undefined || grant.channel === id);
    return context.json({ channels: channels.map((info) => describe(relay, info)) });
  });

  // by POST, too, because some networks let nothing else through
  app.on(["GET", "POST"], "/:id", async (context) => {
    const grant = await grantOf(context);
    const id = context.req.param("id");
    const info = await relay.channels.info(id, grant, anyRole(grant));
    return context.json(describe(relay, info));
  });

  app.delete("/:id", async (context) => {
    const grant = await grantOf(context);
    const id = context.req.param("id");
    await relay.channels.info(
      id,
      grant,
      grant.roles.includes("create") ? "create" : "supervise",
    );
    await relay.channels.delete(id);
    relay.audit.note("deleted", grant, { channel: id });
    return context.body(null, 204);
  });

  app.post(
    "/:id/claim",
    about("produce", async (context, channel, grant) => {
      const { instance, continues } = await readJson(
        context.req.raw,
        claimBody,
        BODY_BYTES,
      );
      const { epoch, next } = await producers.claim(
        channel,
        grant,
        instance,
        continues,
      );
      const { incarnation, cancel, end } = channel;
      return context.json({
        epoch,
        next,
        window: relay.window,
        incarnation,
        cancel,
        end,
      });
    }),
  );

  app.post(
    "/:id/records",
    about("produce", async (context, channel, grant) => {
      const { raw } = context.req;
      const writer = readWriter(raw.headers);
      const records = await readRecords(raw, relay.maxMessage);
      const { window } = relay;
      if (!records) {
        const next = await producers.heartbeat(channel, grant, writer.id, writer.epoch);
        await producers.news(channel, waitOf(raw.headers));
        return context.json({
          next,
          window,
          cancel: channel.cancel,
          end: channel.end,
        });
      }
      const { nextSeq } = await producers.append(
        channel,
        grant,
        writer,
        records.batch,
        records.close,
      );
      return context.json({
        next: nextSeq,
        window,
        cancel: channel.cancel,
        end: channel.end,
      });
    }),
  );

  app.post(
    "/:id/status",
    about("supervise", async (context, channel) => {
      const status = await readJson(context.req.raw, statusBody, BODY_BYTES);
      if (channel.end) {
        throw new StreamError("ended", "The channel has its end and takes no more statuses");
      }
      await channel.status("supervisor", status);
      return context.json({ next: channel.next });
    }),
  );

  app.put(
    "/:id/input",
    about("supervise", async (context, channel, grant) => {
      const input = await readBytes(context.req.raw, INPUT_BYTES);
      await relay.store.putInput(channel.id, input);
      relay.audit.note("input", grant, {
        channel: channel.id,
        as: "supervise",
        bytes: input.length,
      });
      return context.body(null, 204);
    }),
  );

  app.on(["GET", "POST"], "/:id/input", async (context) => {
    const grant = await grantOf(context);
    const id = context.req.param("id");
    const role = grant.roles.includes("produce") ? "produce" : "supervise";
    const info = await relay.channels.info(id, grant, role);
    if (info.end) {
      throw new StreamError(
        "ended",
        "The channel has its end; its input is gone",
      );
    }
    const input = await relay.store.getInput(id);
    if (!input) throw new StreamError("not_found", "The channel has no input");
    relay.audit.note("input", grant, { channel: id, as: role, bytes: input.length });
    return context.body(new Uint8Array(input), 200, {
      "content-type": "application/octet-stream",
    });
  });

  app.post(
    "/:id/lease",
    about("supervise", async (context, channel) => {
      const { seconds, onDisconnect } = await readJson(
        context.req.raw,
        leaseBody,
        BODY_BYTES,
      );
      await channel.renew(seconds, onDisconnect);
      const { leaseUntil, cancel, end } = channel;
      return context.json({ leaseUntil, cancel, end });
    }),
  );

  app.post(
    "/:id/end",
    about("supervise", async (context, channel) => {
      const { kind, ...error } = await readJson(
        context.req.raw,
        endBody,
        BODY_BYTES,
      );
      const { end, set } = await channel.setEnd("supervisor", kind, error);
      return context.json({ end }, set ? 200 : 409);
    }),
  );

  app.post(
    "/:id/cancel",
    about("cancel", async (context, channel, grant) => {
      const { reason } = await readJson(
        context.req.raw,
        cancelBody,
        BODY_BYTES,
      );
      const by = grant.roles.includes("admin")
        ? "admin"
        : grant.roles.includes("supervise")
        ? "supervisor"
        : "consumer";
      const answer = await channel.requestCancel(by, reason);
      relay.audit.note("cancelled", grant, { channel: channel.id, by, face: "http" });
      return context.json(answer);
    }),
  );

  return app;
}

/** The role by which a grant may look at its own channel. */
function anyRole(grant: Grant): Role {
  return grant.roles[0] ?? "consume";
}

function describe(
  relay: RelayContext,
  info: ChannelInfo,
): Record<string, unknown> {
  const live = relay.channels.live.find(({ id }) => id === info.id);
  const claims = info.claims.map(({ epoch, next, fenced }) => ({
    epoch,
    next,
    fenced,
  }));
  const idle = { producer: false, consumers: 0, supervisors: 0 };
  return { ...info, claims, ...(live?.connected ?? idle) };
}
