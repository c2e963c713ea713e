/**
 * Everything the relay answers over plain HTTP.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { CODES, StreamError } from "../stream/mod.ts";
import { channelArray } from "./faces/channel_array.ts";
import { controlApi } from "./faces/control_api.ts";
import { drainBody } from "./faces/control_bodies.ts";
import { pipe } from "./faces/pipe.ts";
import { readJson } from "./faces/request_body.ts";
import { healthOf } from "./health.ts";
import type { RelayContext } from "./relay_context.ts";
import { demand, type Grant } from "./tokens.ts";

/**
 * The relay's HTTP routes.
 *
 * @param relay The relay.
 * @returns A Hono app.
 */
export function httpRoutes(relay: RelayContext): Hono {
  const app = new Hono();
  const grantOf = (context: Context): Promise<Grant> => {
    // all that follows the scheme: a root secret may hold spaces
    const [, credential] = /^bearer +(.*)$/i.exec(context.req.header("authorization") ?? "") ?? [];
    return relay.authenticate(credential, remoteOf(context));
  };
  app.use(async (context, next) => {
    const origin = context.req.header("origin") ?? null;
    const refusal = relay.refusal(context.req.raw.headers);
    if (refusal) throw refusal;
    await next();
    if (origin !== null) {
      context.header("access-control-allow-origin", origin);
      context.header("vary", "Origin", { append: true });
    }
  });
  app.options("*", (context) => {
    context.header("access-control-allow-methods", "GET, POST, PUT, DELETE");
    context.header(
      "access-control-allow-headers",
      "Authorization, Content-Type, Producer-Id, Producer-Epoch, Producer-Seq, Producer-Close",
    );
    context.header("access-control-max-age", "600");
    return context.body(null, 204);
  });
  app.get("/health", (context) => {
    const health = healthOf(relay);
    // whoever spreads connections over relays must send none here any more
    return context.json(health, health.status === "healthy" ? 200 : 503);
  });
  app.post("/v1/drain", async (context) => {
    demand(await grantOf(context), "admin");
    const { seconds } = await readJson(context.req.raw, drainBody, 1024);
    relay.log("info", "drain asked for");
    const { length } = relay.channels.live;
    relay.drain(seconds);
    return context.json({ channels: length }, 202);
  });
  app.route("/v1/channels", controlApi(relay, grantOf));
  app.route("/v1/arrays", channelArray(relay, grantOf));
  app.route("/v1/pipe", pipe(relay, grantOf));
  app.notFound((context) =>
    answer(
      context,
      new StreamError(
        "not_found",
        `There is nothing at ${context.req.method} ${context.req.path}, expected /v1/channels, /v1/pipe, /v1/drain or /health`,
      ),
    )
  );
  app.onError((error, context) => {
    const [, channel] = /^\/v1\/(?:channels|pipe)\/([^/]+)/.exec(context.req.path) ?? [];
    relay.audit.refused(error, remoteOf(context), { channel, face: "http" });
    if (error instanceof StreamError) return answer(context, error);
    relay.log("error", "A request failed", {
      route: context.req.routePath,
      error: String(error),
    });
    return answer(
      context,
      new StreamError("internal", "Something went wrong in the relay"),
    );
  });
  return app;
}

/** The address of the other end, as the transport tells it. */
function remoteOf({ env }: Context): string {
  return (env as { remote?: string } | undefined)?.remote ?? "";
}

function answer(context: Context, error: StreamError): Response {
  const status = CODES[error.code].http as ContentfulStatusCode;
  const headers: Record<string, string> = status === 401 ? { "www-authenticate": "Bearer" } : {};
  return context.json({ error: error.toJSON() }, status, headers);
}
