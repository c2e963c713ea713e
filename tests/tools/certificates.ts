/** A certificate authority of a test's own, made by openssl. @module */
import { runCommand } from "../systems/run_command.ts";

/** PEM files in a folder. */
export interface Certificates {
  /** The authority's certificate: what a site's bundle of CAs holds. */
  authority: string;
  /** The certificate of 127.0.0.1 and localhost, signed by it. */
  cert: string;
  /** That one's key. */
  key: string;
}

/**
 * Makes an authority and a certificate of this machine's loopback.
 *
 * @param folder Where the files go.
 * @returns Their paths.
 */
export async function makeCertificates(folder: string): Promise<Certificates> {
  const path = (name: string) => `${folder}/${name}`;
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl([
    ...["req", "-x509", ...curve, "-days", "2", "-subj", "/CN=Site CA"],
    ...["-addext", "basicConstraints=critical,CA:TRUE"],
    ...["-keyout", path("ca.key"), "-out", path("ca.pem")],
  ]);
  await openssl([
    ...["req", ...curve, "-subj", "/CN=relay"],
    ...["-keyout", path("relay.key"), "-out", path("relay.csr")],
  ]);
  await Deno.writeTextFile(path("names"), "subjectAltName=IP:127.0.0.1,DNS:localhost\n");
  await openssl([
    ...["x509", "-req", "-in", path("relay.csr"), "-days", "2", "-extfile", path("names")],
    ...["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial"],
    ...["-out", path("relay.pem")],
  ]);
  return { authority: path("ca.pem"), cert: path("relay.pem"), key: path("relay.key") };
}

async function openssl(args: string[]): Promise<void> {
  const { code, stderr } = await runCommand(["openssl", ...args]);
  if (code !== 0) throw new Error(`openssl ${args[0]}: ${stderr}`);
}
