/**
 * The producers that a job script carries, compressed, as functions of the script that unpack them.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import { Buffer } from "node:buffer";
import bundle from "./producers/streamrelay-producer.js" with { type: "text" };
import python from "./producers/producer.py" with { type: "text" };
import shell from "./producers/producer.sh" with { type: "text" };

/** What can run a producer: our compiled one, a runtime for the bundle, python3, or bash with curl. */
export type ProducerKind =
  | "streamrelay-producer"
  | "deno"
  | "node"
  | "python3"
  | "curl";

const packed = new Map<string, string>();

/**
 * Shell functions `sr_unpack_js`, `sr_unpack_py` and `sr_unpack_sh` that print the producers which the
 * given kinds need; nothing for the others.
 *
 * @param kinds The kinds that may be used.
 * @returns Pieces of a bash script.
 */
export function packProducers(kinds: readonly ProducerKind[]): string[] {
  const pieces: string[] = [];
  if (kinds.includes("deno") || kinds.includes("node")) {
    pieces.push(unpacker("js", bundle));
  }
  if (kinds.includes("python3")) pieces.push(unpacker("py", python));
  if (kinds.includes("curl")) pieces.push(unpacker("sh", shell));
  return pieces;
}

/**
 * A shell function `sr_unpack_<name>` that prints a text.
 *
 * @param name Its name.
 * @param text The text.
 * @returns A piece of a bash script.
 */
export function unpacker(name: string, text: string): string {
  let piece = packed.get(name);
  if (piece === undefined) {
    const base64 = gzipSync(Buffer.from(text), { level: 9 }).toString("base64");
    const lines = base64.match(/.{1,120}/g) ?? [];
    piece = `sr_unpack_${name}() { base64 -d <<'STREAMRELAY_PACKED' | gzip -dc\n${
      lines.join("\n")
    }\nSTREAMRELAY_PACKED\n}`;
    packed.set(name, piece);
  }
  return piece;
}
