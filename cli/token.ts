/** `streamrelay token`: makes a token from a relay's root secret. @module */
import { findLocalRelay } from "../adapters/relay/relay_record.ts";
import { stateSecret } from "../adapters/state_folder.ts";
import { mintToken, type Role, ROLES } from "../server/tokens.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { environmentSecret, secretFlags, typedSecret } from "./secret_of.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "token",
  summary: "Make a token from a relay's root secret.",
  synopsis: "(--channel ID | --prefix PREFIX) --role ROLE [FLAGS]",
  about: `Without a secret it is that of this user's own relay. Roles: ${ROLES.join(", ")}.
A token with create and a prefix is what users of a shared relay hold.`,
  flags: [
    { name: "channel", value: "ID", help: "The one channel it is for" },
    {
      name: "prefix",
      value: "PREFIX",
      help: "The channels it is for: those whose id starts so",
    },
    { name: "role", value: "ROLE", help: "What it allows", many: true },
    {
      name: "expires",
      value: "TIME",
      help: "How long it is good; for ever by default",
    },
    {
      name: "subject",
      value: "NAME",
      help: "Whom quotas and logs count it for",
    },
    ...secretFlags("secret", "The root secret", [
      "STREAMRELAY_SECRET",
      "RELAY_SECRET",
    ]),
  ],
  examples: [
    [
      "streamrelay token --prefix alice- --role create --expires 90d --subject alice",
      "for a user of a shared relay",
    ],
    ["streamrelay token --channel run-7 --role consume --role cancel", "for a reader"],
  ],
  run,
};

async function run(given: Given): Promise<number> {
  const roles = given.list("role").flatMap((list) => list.split(","));
  const unknown = roles.find((role) => !isRole(role));
  if (unknown !== undefined || roles.length === 0) {
    throw new UsageError(
      `${
        unknown === undefined ? "No role was given" : `Unknown role ${JSON.stringify(unknown)}`
      }: expected --role with ${ROLES.join(", ")}`,
    );
  }
  const [channel, prefix] = [given.text("channel"), given.text("prefix")];
  if (channel !== undefined && prefix !== undefined) {
    throw new UsageError(
      "Cannot use --channel and --prefix together: expected one of them",
    );
  }
  if (channel === undefined && prefix === undefined && !roles.includes("admin")) {
    throw new UsageError(
      "The token is for no channel: expected --channel ID or --prefix PREFIX",
    );
  }
  const secret = await typedSecret(given, "secret") ??
    await environmentSecret(given, "secret") ??
    ((await findLocalRelay())?.secret || await stateSecret());
  console.log(
    await mintToken(secret, {
      channel,
      prefix,
      roles: roles.filter(isRole),
      expiresIn: given.seconds("expires"),
      subject: given.text("subject"),
    }),
  );
  return 0;
}

function isRole(word: string): word is Role {
  return (ROLES as readonly string[]).includes(word);
}
