/** Globus Compute in the contract of executors. @module */
import { assert } from "@std/assert";
import type { Executor, GlobusComputeExecutor } from "../../adapters/mod.ts";

/**
 * The contract knows schedulers that take a cancel. Globus Compute has none: the producer takes it, or
 * the relay keeps it. This asserts so, and gives the contract its word.
 *
 * @param executor The executor.
 * @returns The executor, for the contract.
 */
export function inContract(executor: GlobusComputeExecutor): Executor {
  const stream = executor.stream.bind(executor);
  executor.stream = (...args) => {
    const started = stream(...args);
    const cancel = started.cancel.bind(started);
    started.cancel = async (reason) => {
      const ack = await cancel(reason);
      assert(ack === "producer" || ack === "recorded", `a cancel was acknowledged as ${ack}`);
      return "scheduler";
    };
    return started;
  };
  return executor as unknown as Executor;
}
