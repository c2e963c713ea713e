/** A relay, a stand-in of Globus, and a state folder of the test's own. @module */
import { GlobusComputeExecutor, type GlobusConfig } from "../../adapters/mod.ts";
import { until } from "../tools/until.ts";
import { type ExecutorFixture, executorFixture } from "./executor_fixture.ts";
import { type GlobusStandIn, globusStandIn, type StandInOptions } from "./globus_stand_in.ts";

/** What a test of the Globus executor works with. */
export interface GlobusFixture extends ExecutorFixture {
  /** The web service. */
  service: GlobusStandIn;
  /** The state folder. */
  state: string;
  /** Makes an executor that knows relay and service. */
  make(config?: GlobusConfig): GlobusComputeExecutor;
  /** How often something was asked of the service. */
  count(what: RegExp): number;
}

/**
 * Starts relay and service.
 *
 * @param options How the service behaves.
 * @returns The fixture.
 */
export async function globusFixture(options: StandInOptions = {}): Promise<GlobusFixture> {
  const fixture = await executorFixture();
  const service = globusStandIn(options);
  const before = Deno.env.get("STREAMRELAY_STATE");
  const state = await Deno.makeTempDir({ prefix: "streamrelay-test-" });
  Deno.env.set("STREAMRELAY_STATE", state);
  return {
    ...fixture,
    service,
    state,
    make: (config) =>
      new GlobusComputeExecutor({
        ...fixture.config,
        endpoint: service.endpoint,
        login: service.client,
        serviceUrl: service.url,
        authUrl: service.url,
        ...config,
      }),
    count: (what) => service.requests.filter((request) => what.test(request.what)).length,
    async [Symbol.asyncDispose]() {
      if (before === undefined) Deno.env.delete("STREAMRELAY_STATE");
      else Deno.env.set("STREAMRELAY_STATE", before);
      await service[Symbol.asyncDispose]();
      await fixture[Symbol.asyncDispose]();
      // a run forgets its job in the state folder after its end was told
      await until(
        "an end to what is written",
        () => Deno.remove(state, { recursive: true }).then(() => true, () => false),
      );
    },
  };
}
