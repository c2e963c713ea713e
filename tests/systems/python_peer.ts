/**
 * The real Python package in processes of its own, for the tests of how it gets on with ours. What is
 * secret goes by stdin or the environment.
 *
 * @module
 */
import { runCommand } from "./run_command.ts";

/** What a Python client is told. */
export interface PythonAsk {
  /** The relay. */
  url: string;
  /** The channel. */
  channel: string;
  /** Secret or token. */
  secret?: string;
  /** Key of encryption. */
  key?: string;
  /** How the script goes about it; see `python/produce.py` and `python/consume.py`. */
  way?: string;
  /** Text to send. */
  tokens?: string[];
  /** Text of the error to end with. */
  message?: string;
  /** Usage to end with. */
  usage?: Record<string, number>;
}

/** What came of it. */
export interface PythonAnswer {
  /** What a consumer got. */
  tokens: string[];
  /** What was raised. */
  error?: string;
  /** The close code that was raised. */
  code?: number;
}

/**
 * Writes a channel with Python's `RelayProducer`.
 *
 * @param ask Where, what and how.
 * @returns What stopped it, if anything did.
 */
export function pythonProduce(ask: PythonAsk): Promise<PythonAnswer> {
  return python("produce.py", ask);
}

/**
 * Reads a channel with Python's `RelayConsumer`.
 *
 * @param ask Where and how.
 * @returns What it got.
 */
export function pythonConsume(ask: PythonAsk): Promise<PythonAnswer> {
  return python("consume.py", ask);
}

/**
 * Does one thing of Python's `crypto`.
 *
 * @param ask Which, with what.
 * @returns The text that came of it, or the name of the exception.
 */
export function pythonCrypto(
  ask: { do: "key" | "encrypt" | "decrypt"; key?: string; message?: string },
): Promise<{ result: string; error?: string }> {
  return python("crypto.py", ask);
}

/** A Python relay that runs. */
export interface PythonRelay extends AsyncDisposable {
  /** Where it listens. */
  url: string;
  /** Its secret. */
  secret: string;
}

/**
 * Starts Python's relay on a free port.
 *
 * @returns The relay, listening.
 */
export async function pythonRelay(): Promise<PythonRelay> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const secret = crypto.randomUUID();
  const child = new Deno.Command(interpreter(), {
    args: [script("relay.py")],
    env: { TEST_PORT: String(port), TEST_SECRET: secret },
    stdin: "piped",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  await listening(child.stderr);
  return {
    url: `ws://127.0.0.1:${port}`,
    secret,
    async [Symbol.asyncDispose]() {
      await child.stdin.close();
      await child.status;
    },
  };
}

/** Reads a program's log until it says that it listens, and on to its end so that it never blocks. */
function listening(log: ReadableStream<Uint8Array>): Promise<void> {
  return new Promise((resolve, reject) => {
    (async () => {
      let text = "";
      for await (const chunk of log.pipeThrough(new TextDecoderStream())) {
        text += chunk;
        if (text.includes("listening on")) resolve();
      }
      reject(new Error(`Python's relay did not start: ${text}`));
    })();
  });
}

/**
 * Options of our clients for a key of Python's, which knows encryption v1 only.
 *
 * @param key The key, or none.
 * @returns The options.
 */
export function v1Key(key: string | undefined): { key?: string; encryption?: "v1" } {
  return key === undefined ? {} : { key, encryption: "v1" };
}

async function python<T>(name: string, ask: unknown): Promise<T> {
  const { code, stdout, stderr } = await runCommand([interpreter(), script(name)], {
    stdin: JSON.stringify(ask),
  });
  if (code !== 0) throw new Error(`${name} ended with ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

function interpreter(): string {
  return Deno.env.get("STREAMRELAY_TEST_PYTHON") ?? "python3";
}

function script(name: string): string {
  return new URL(`python/${name}`, import.meta.url).pathname;
}
