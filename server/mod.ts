/**
 * The relay: where producers and consumers meet. {@linkcode serveRelay} starts one, also inside another
 * program.
 *
 * @example
 * ```ts
 * import { mintToken, serveRelay } from "./mod.ts";
 *
 * const secret = "a long random secret";
 * await using relay = await serveRelay({ port: 0, secret });
 * const token = await mintToken(secret, { channel: "run-7", roles: ["consume"], expiresIn: 3600 });
 * console.log(relay.url, token.length > 0);
 * ```
 *
 * @module
 */
export type { Audit, AuditEntry, AuditEvent } from "./audit.ts";
export { type AuditFile, openAuditFile } from "./audit_file.ts";
export {
  jsonLogger,
  type JsonLoggerOptions,
  LOG_LEVELS,
  type Logger,
  type LogLevel,
  silentLogger,
} from "./log.ts";
export type { RelayOptions } from "./relay_options.ts";
export type { Peer, PeerHandler, PeerListener, PeerRequest } from "./peer.ts";
export type { Listening, ListenOptions, Transport } from "./transport/transport.ts";
export { type Relay, serveRelay } from "./serve_relay.ts";
export { MemoryStore } from "./store/memory_store.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./store/sqlite/open_sqlite_store.ts";
export type * from "./store/store.ts";
export { mintToken, type Role, ROLES, type TokenOptions } from "./tokens.ts";
