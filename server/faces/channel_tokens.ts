/**
 * The tokens that a new channel comes with.
 *
 * @module
 */
import type { ChannelInfo } from "../store/store.ts";
import { mintToken, type Role } from "../tokens.ts";

const ROLES: readonly Role[] = ["produce", "consume", "supervise", "cancel"];

/**
 * A token for each role, good for this making of the channel.
 *
 * @param secret The relay's root secret.
 * @param channel The channel.
 * @returns The tokens by role.
 */
export async function tokensFor(
  secret: string,
  { id, incarnation, owner: subject }: Pick<ChannelInfo, "id" | "incarnation" | "owner">,
): Promise<Record<string, string>> {
  const tokens = await Promise.all(
    ROLES.map((role) => mintToken(secret, { channel: id, incarnation, roles: [role], subject })),
  );
  return Object.fromEntries(ROLES.map((role, index) => [role, tokens[index]]));
}
