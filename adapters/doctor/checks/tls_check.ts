/** @module */
import type { Finding } from "../finding.ts";
import type { NodeFacts } from "../node_facts.ts";

/**
 * Whether the relay's certificate is trusted on the node.
 *
 * @param facts What was found.
 * @returns One finding; none for a relay without TLS, or one that was not reached.
 */
export function tlsCheck(facts: NodeFacts): Finding[] {
  const { tls, assumed } = facts;
  const check = "tls";
  if (!tls) return [];
  if (tls.result === "trusted") {
    return [{ check, state: "ok", message: "the relay's certificate is trusted" }];
  }
  if (tls.result === "failed") {
    return [{
      check,
      state: "problem",
      message: `TLS can't be spoken with the relay (${tls.words})`,
      advice:
        "see that the relay has a certificate there, and that nothing on the way breaks TLS off",
    }];
  }
  const issuer = tls.issuer ? `; it was issued by ${tls.issuer}` : "";
  const message = `the relay's certificate is not trusted on this node (${tls.words})${issuer}`;
  const known = assumed.find(({ variable }) => variable === "SSL_CERT_FILE");
  if (/expired|not yet valid/i.test(tls.words)) {
    return [{
      check,
      state: "problem",
      message: tls.from ? `${message}; it is good from ${tls.from} until ${tls.until}` : message,
      advice: "compare that with this node's clock, and renew the certificate if it is over",
    }];
  }
  return [{
    check,
    state: "problem",
    message,
    ...(known && { mended: true }),
    advice: known
      ? `set SSL_CERT_FILE=${known.value} in the job's env: it has what is missing`
      : "put the site's CA certificates into a file that nodes see, and set SSL_CERT_FILE to it in the job's env",
  }];
}
