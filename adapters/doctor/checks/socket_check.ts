/** @module */
import type { Finding } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/**
 * Whether a WebSocket gets through, and what is uploaded in pieces.
 *
 * @param facts What was found.
 * @returns Up to two findings.
 */
export function socketCheck({ socket, upload }: NodeFacts): Finding[] {
  const findings: Finding[] = [];
  if (socket) {
    findings.push(
      socket.status === 101
        ? { check: "websocket", state: "ok", message: "a WebSocket gets through" }
        : {
          check: "websocket",
          state: "warning",
          message: `no WebSocket gets through (${
            socket.status ? `HTTP ${socket.status}` : socket.words || "no answer"
          }): producers send by POST`,
        },
    );
  }
  if (upload) {
    const { result, status, words } = upload;
    findings.push(
      result === "streams"
        ? { check: "upload", state: "ok", message: "a chunked upload arrives while it is sent" }
        : {
          check: "upload",
          state: "warning",
          message: `a chunked upload does not arrive while it is sent (${
            status >= 400 ? `HTTP ${status}` : words || "something on the way holds it back"
          }): curl -T- to /v1/pipe will not stream; producers do without`,
        },
    );
  }
  return findings;
}
