/** `streamrelay globus register`: registers the function that runs scripts. @module */
import { GlobusComputeExecutor } from "../adapters/globus/mod.ts";
import type { Command } from "./command.ts";
import type { Given } from "./given.ts";
import { ACCOUNT_FLAGS, globusAccount } from "./globus_account.ts";
import { UsageError } from "./usage_error.ts";

/** The subcommand. */
export const command: Command = {
  name: "globus register",
  summary: "Register the function that runs scripts, and print its id.",
  synopsis: "[FLAGS]",
  about: `An endpoint may run none but the functions that its administrator allows: this is the id
to allow, and to give as --function-uuid. It changes with the version of this program.
Without such a list nothing has to be registered.`,
  flags: [
    ...ACCOUNT_FLAGS,
    { name: "public", help: "Everybody may call it" },
    { name: "group", value: "UUID", help: "The members of this Globus group may call it" },
  ],
  examples: [
    ["streamrelay globus register", "for oneself"],
    ["streamrelay globus register --public", "by an administrator, for everybody"],
  ],
  exits: [[0, "its id was printed"], [20, "there is no login, or Globus does not take it"]],
  run,
};

async function run(given: Given): Promise<number> {
  const group = given.text("group");
  if (given.on("public") && group !== undefined) {
    throw new UsageError("Cannot use --group with --public: expected one of them");
  }
  const globus = new GlobusComputeExecutor(await globusAccount(given));
  console.log(
    await globus.registerFunction({
      ...(given.on("public") && { public: true }),
      ...(group !== undefined && { group }),
    }),
  );
  return 0;
}
