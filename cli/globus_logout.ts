/** `streamrelay globus logout`: forgets a login to Globus. @module */
import { logoutOfGlobus } from "../adapters/globus/mod.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { ACCOUNT_FLAGS, nativeApp } from "./globus_account.ts";
import { say } from "./say.ts";

/** The subcommand. */
export const command: Command = {
  name: "globus logout",
  summary: "Forget a login to Globus, and make its tokens worthless.",
  synopsis: "[FLAGS]",
  about: "Where Globus can't be reached the login is forgotten here all the same.",
  flags: ACCOUNT_FLAGS,
  examples: [
    ["streamrelay globus logout", "the app is that of GLOBUS_COMPUTE_CLIENT_ID"],
  ],
  exits: [[0, "no login is kept any more"], [
    21,
    "it is forgotten here, but Globus may honour its tokens until they end",
  ]],
  run,
};

async function run(given: Given): Promise<number> {
  const app = await nativeApp(given);
  const kept = await logoutOfGlobus(app);
  say(
    kept
      ? `Logged out of Globus: the login of client ${app.clientId} is revoked and forgotten`
      : `No login of client ${app.clientId} was kept here`,
  );
  return 0;
}
