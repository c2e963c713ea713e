/**
 * What a relay tells everybody of itself.
 *
 * @module
 */
import type { RelayContext } from "./relay_context.ts";

/** The answer of `/health`, as the Python relay gives it. */
export interface Health {
  /** `draining` when it makes no new channels and is about to go away. */
  status: "healthy" | "draining";
  /** Channels that somebody is connected to. */
  active_channels: number;
  /** Now, in ISO 8601. */
  timestamp: string;
}

/**
 * The relay's health.
 *
 * @param context The relay.
 * @returns What `/health` answers.
 */
export function healthOf(context: Pick<RelayContext, "channels">): Health {
  return {
    status: context.channels.draining ? "draining" : "healthy",
    active_channels: context.channels.live.length,
    timestamp: new Date().toISOString(),
  };
}
