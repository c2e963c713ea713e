/**
 * What {@linkcode GlobusComputeExecutor} can be told.
 *
 * @module
 */
import type { ExecutorConfig } from "../executor_config.ts";
import type { GlobusLogin } from "./globus_login.ts";

/** What an endpoint with an MPI engine is asked for. */
export interface ResourceSpecification {
  /** Nodes. */
  num_nodes?: number;
  /** Ranks a node. */
  ranks_per_node?: number;
  /** Ranks in all. */
  num_ranks?: number;
  /** Options of the launcher. */
  launcher_options?: string;
}

/** A Python function that streams by itself, called in the endpoint's worker instead of a script. */
export type PythonFunction =
  & {
    /** Keyword arguments, any JSON; Globus Compute gets to see them. */
    arguments?: Record<string, unknown>;
  }
  & ({
    /** Python source that defines it: the path of a file here, or its text. */
    python: string | { text: string };
    /** Its name. */
    function: string;
    /**
     * The keyword argument that gets the input, which goes through the relay.
     *
     * @default {"prompt"}
     */
    inputAs?: string;
  } | {
    /** The id of a function that is registered already, by whatever means. It gets no input. */
    functionUuid: string;
  });

/** Configuration of a {@linkcode GlobusComputeExecutor}. */
export interface GlobusConfig extends ExecutorConfig {
  /** Id of the endpoint. */
  endpoint?: string;
  /**
   * Who one is to Globus; of an executor, not of a call.
   *
   * @default `STREAMRELAY_GLOBUS_TOKEN`; else `GLOBUS_COMPUTE_CLIENT_ID`, with
   * `GLOBUS_COMPUTE_CLIENT_SECRET` or the login that is kept for it.
   */
  login?: GlobusLogin;
  /**
   * Id under which the function that runs scripts is allowed at the endpoint, as
   * `registerFunction()` gave it. Without it, it is registered at the first use.
   */
  functionUuid?: string;
  /** Variables of a multi-user endpoint's template: partition, account, walltime. */
  userEndpointConfig?: Record<string, unknown>;
  /** Nodes and ranks, for an endpoint with an MPI engine. */
  resourceSpecification?: ResourceSpecification;
  /**
   * Time limit of a script: minutes, or `"[days-]hours:minutes:seconds"`. It counts from the script's
   * start; the endpoint's own limits hold beside it.
   *
   * @default The endpoint's.
   */
  time?: string | number;
  /**
   * Seconds between a running script's own looks whether its stream is over, should its producer not
   * have heard.
   *
   * @default {30}
   */
  lookEvery?: number;
  /**
   * Seconds of silence after which a job that has spoken counts as lost, while Globus Compute says that
   * it is under way: it is not told of what an endpoint loses.
   *
   * @default {1_800}
   */
  lostAfter?: number;
  /**
   * The web service; of an executor, not of a call.
   *
   * @default {"https://compute.api.globus.org"}
   */
  serviceUrl?: string;
  /**
   * Globus Auth; of an executor, not of a call.
   *
   * @default `GLOBUS_SDK_SERVICE_URL_AUTH`; else `https://auth.globus.org`.
   */
  authUrl?: string;
  /**
   * Milliseconds the service has to answer; of an executor, not of a call.
   *
   * @default {60_000}
   */
  requestTimeout?: number;
}
