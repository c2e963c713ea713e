/** `streamrelay globus login`: logs a person in to Globus. @module */
import { loginToGlobus } from "../adapters/globus/mod.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { ACCOUNT_FLAGS, nativeApp } from "./globus_account.ts";
import { readLine } from "./read_line.ts";
import { say } from "./say.ts";

/** The subcommand. */
export const command: Command = {
  name: "globus login",
  summary: "Log in to Globus, for run globus.",
  synopsis: "[FLAGS]",
  about: `Shows a page to open, and reads the code that it gives. The login is kept in the state
folder, readable by this user alone, and renewed by itself. A service account, which has a
secret, needs none of this.`,
  flags: ACCOUNT_FLAGS,
  examples: [
    [
      "streamrelay globus login --client-id 7a8b9c00-0000-4000-8000-000000000000",
      "once; GLOBUS_COMPUTE_CLIENT_ID names the app from then on, or a profile's login",
    ],
  ],
  exits: [[0, "the login is kept"], [20, "Globus does not take the code"]],
  run,
};

async function run(given: Given): Promise<number> {
  const app = await nativeApp(given);
  await loginToGlobus({
    ...app,
    ask: async (url) => {
      say(`Open this page, log in, and paste the code that it shows:\n${url}`);
      return await readLine();
    },
  });
  say(`Logged in to Globus by client ${app.clientId}`);
  return 0;
}
