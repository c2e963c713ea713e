/**
 * Globus Compute.
 *
 * @module
 */
export type { Sharing } from "./compute_service.ts";
export { GlobusComputeExecutor } from "./globus_compute_executor.ts";
export type { GlobusConfig, PythonFunction, ResourceSpecification } from "./globus_config.ts";
export type { GlobusClient, GlobusLogin, GlobusPerson, GlobusToken } from "./globus_login.ts";
export { type GlobusLoginOptions, loginToGlobus, logoutOfGlobus } from "./login_to_globus.ts";
