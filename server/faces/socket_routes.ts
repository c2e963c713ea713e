/**
 * Which face a WebSocket gets, by its path.
 *
 * @module
 */
import {
  CHANNEL_ID_RULE,
  type ClientHello,
  decodeControl,
  decodeV1Auth,
  isChannelId,
  StreamError,
} from "../../stream/mod.ts";
import { healthOf } from "../health.ts";
import type { Peer, PeerRequest } from "../peer.ts";
import type { RelayContext } from "../relay_context.ts";
import type { Grant } from "../tokens.ts";
import { admit, refuse, type Session } from "./peer_gate.ts";
import { consumeV1 } from "./v1_consume.ts";
import { produceV1 } from "./v1_produce.ts";
import { consumeV2 } from "./v2_consume.ts";
import { produceV2 } from "./v2_produce.ts";
import { superviseV2 } from "./v2_supervise.ts";

const V1 = { produce: produceV1, consume: consumeV1 };
const V2 = { produce: produceV2, consume: consumeV2, supervise: superviseV2 };

/**
 * Leads a WebSocket to its face.
 *
 * @param context The relay.
 * @param peer The new connection.
 * @param request What it asked for.
 */
export function routeSocket(
  context: RelayContext,
  peer: Peer,
  request: PeerRequest,
): void {
  const parts = request.url.pathname.split("/").slice(1);
  if (parts.length === 1 && parts[0] === "health") {
    peer.send(JSON.stringify(healthOf(context)));
    return peer.close(1000, "");
  }
  if (parts.length === 2 && isFace(V1, parts[0])) {
    return admitV1(context, peer, request, parts[0], parts[1]);
  }
  if (parts.length === 3 && parts[0] === "v2" && isFace(V2, parts[1])) {
    return admitV2(context, peer, request, parts[1], parts[2]);
  }
  refuse(
    context,
    peer,
    1,
    new StreamError(
      "not_found",
      "Unknown path, expected /v2/produce/{id}, /v2/consume/{id}, /produce/{id} or /consume/{id}",
    ),
  );
}

function admitV2(
  context: RelayContext,
  peer: Peer,
  request: PeerRequest,
  face: keyof typeof V2,
  id: string,
): void {
  admit(context, peer, request, {
    version: 2,
    async begin(first) {
      checkId(id);
      const { hello } = decodeControl(first);
      if (typeof hello !== "object" || hello === null || hello.v !== 2) {
        throw new StreamError(
          "bad_request",
          'Cannot take first message: expected {"hello":{"v":2,…}}',
        );
      }
      const client: ClientHello = hello;
      try {
        const grant = await context.authenticate(client.auth, request.remote);
        const session = await V2[face](context, peer, id, client, grant);
        tell(context, request, id, `${face} connected`);
        return context.audit.session(session, grant, id, face, "v2");
      } catch (error) {
        context.audit.refused(error, request.remote, { channel: id, as: face, face: "v2" });
        throw error;
      }
    },
  });
}

function admitV1(
  context: RelayContext,
  peer: Peer,
  request: PeerRequest,
  face: keyof typeof V1,
  id: string,
): void {
  const begin = async (credential: string | undefined): Promise<Session> => {
    try {
      const grant: Grant = await context.authenticate(credential, request.remote);
      const session = await V1[face](context, peer, id, grant);
      tell(context, request, id, `${face} connected`, { v1: true });
      return context.audit.session(session, grant, id, face, "v1");
    } catch (error) {
      context.audit.refused(error, request.remote, { channel: id, as: face, face: "v1" });
      throw error;
    }
  };
  const parameter = request.url.searchParams.get("secret");
  admit(context, peer, request, {
    version: 1,
    begin: (first) => begin(decodeV1Auth(first)),
    eager: () => {
      if (!isChannelId(id)) {
        return Promise.reject(
          new StreamError(
            "not_found",
            `Cannot use channel id: expected ${CHANNEL_ID_RULE}`,
          ),
        );
      }
      if (parameter !== null && !context.insecure) {
        context.log(
          "warn",
          "A secret came in a URL, where proxies log it; send it as first message",
          {
            channel: id.slice(0, 8),
            remote: request.remote,
          },
        );
        return begin(parameter);
      }
      return context.insecure ? begin(undefined) : undefined;
    },
  });
}

function checkId(id: string): void {
  if (!isChannelId(id)) {
    throw new StreamError(
      "bad_request",
      `Cannot use channel id: expected ${CHANNEL_ID_RULE}`,
    );
  }
}

function isFace<F extends object>(
  faces: F,
  name: string,
): name is keyof F & string {
  return Object.hasOwn(faces, name);
}

/** Only the head of a channel's name is logged: the whole of it is half of what opens it. */
function tell(
  context: RelayContext,
  request: PeerRequest,
  id: string,
  what: string,
  more: Record<string, unknown> = {},
): void {
  context.log("info", what, {
    channel: id.slice(0, 8),
    remote: request.remote,
    ...more,
  });
}
