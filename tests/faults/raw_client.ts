/**
 * A client that speaks just enough of WebSocket to break its rules: bytes on a TCP connection.
 *
 * @module
 */

const encoder = new TextEncoder();

/** Opcodes of RFC 6455. */
export const OPCODE = { continued: 0, text: 1, binary: 2, close: 8, ping: 9 } as const;

/** What a frame is. */
export interface FrameOptions {
  /** One of {@linkcode OPCODE}; text by default. */
  opcode?: number;
  /** Whether more fragments follow. */
  more?: boolean;
  /** The length that is claimed; the payload's by default. */
  claims?: number;
}

/**
 * A frame, masked with zeros.
 *
 * @param payload What it carries.
 * @param options What it is.
 * @returns Its bytes.
 */
export function rawFrame(payload: string | Uint8Array, options: FrameOptions = {}): Uint8Array {
  const { opcode = OPCODE.text, more = false } = options;
  const body = typeof payload === "string" ? encoder.encode(payload) : payload;
  const length = options.claims ?? body.length;
  const head = new DataView(new ArrayBuffer(14));
  head.setUint8(0, (more ? 0 : 0x80) | opcode);
  let size = 2;
  if (length < 126) head.setUint8(1, 0x80 | length);
  else if (length < 65_536) {
    head.setUint8(1, 0x80 | 126);
    head.setUint16(2, length);
    size = 4;
  } else {
    head.setUint8(1, 0x80 | 127);
    head.setBigUint64(2, BigInt(length));
    size = 10;
  }
  const frame = new Uint8Array(size + 4 + body.length);
  frame.set(new Uint8Array(head.buffer, 0, size));
  frame.set(body, size + 4);
  return frame;
}

/** A connection. */
export class RawClient {
  #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /**
   * Connects.
   *
   * @param port Where to, on 127.0.0.1.
   * @returns The connection; nothing is sent yet.
   */
  static async connect(port: number): Promise<RawClient> {
    return new RawClient(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /**
   * Connects and shakes hands as a WebSocket.
   *
   * @param port Where to.
   * @param path Its path.
   * @returns The connection, upgraded.
   */
  static async upgrade(port: number, path: string): Promise<RawClient> {
    const client = await RawClient.connect(port);
    await client.write(handshake(path));
    const answer = new TextDecoder().decode(await client.read());
    if (!answer.startsWith("HTTP/1.1 101 ")) throw new Error(`Not upgraded: ${answer}`);
    return client;
  }

  /** Writes all of it; `false` once the relay has hung up. */
  async write(bytes: string | Uint8Array): Promise<boolean> {
    let left = typeof bytes === "string" ? encoder.encode(bytes) : bytes;
    try {
      while (left.length > 0) left = left.subarray(await this.#conn.write(left));
      return true;
    } catch {
      return false;
    }
  }

  /** Writes the same bytes until so many are written, or the relay hangs up. */
  async flood(bytes: Uint8Array, total: number): Promise<number> {
    let written = 0;
    while (written < total && await this.write(bytes)) written += bytes.length;
    return written;
  }

  /** What comes next; empty once the relay has hung up. */
  async read(): Promise<Uint8Array> {
    const buffer = new Uint8Array(65_536);
    const n = await this.#conn.read(buffer).catch(() => null);
    return buffer.subarray(0, n ?? 0);
  }

  /** Reads until the relay says goodbye, or hangs up without. */
  async hungUp(): Promise<void> {
    let seen = new Uint8Array();
    for (;;) {
      const more = await this.read();
      if (more.length === 0) return;
      const joined = new Uint8Array(seen.length + more.length);
      joined.set(seen);
      joined.set(more, seen.length);
      seen = joined;
      for (let size = 0; (size = sizeOf(seen)) <= seen.length; seen = seen.subarray(size)) {
        if ((seen[0] & 0x0f) === OPCODE.close) return;
      }
    }
  }

  /** Goes, without a word. */
  close(): void {
    try {
      this.#conn.close();
    } catch {
      // it is closed
    }
  }
}

/** Bytes of the frame that begins here, as far as that is known; of one that is not masked. */
function sizeOf(bytes: Uint8Array): number {
  if (bytes.length < 2) return Infinity;
  const short = bytes[1] & 0x7f;
  if (short < 126) return 2 + short;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (short === 126) return bytes.length < 4 ? Infinity : 4 + view.getUint16(2);
  return bytes.length < 10 ? Infinity : 10 + Number(view.getBigUint64(2));
}

/**
 * A WebSocket handshake.
 *
 * @param path The path.
 * @param host What it says of the host.
 * @returns The request's text.
 */
export function handshake(path: string, host = "relay"): string {
  return `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
}
