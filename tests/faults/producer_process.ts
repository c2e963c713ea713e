/**
 * A producer process that tests stop, wake and kill.
 *
 * @module
 */
import type { ProducerOrders } from "./producer_child.ts";

/** A producer in a process of its own. */
export class ProducerProcess {
  #child: Deno.ChildProcess;
  #lines: ReadableStreamDefaultReader<string>;
  #rest = "";

  private constructor(child: Deno.ChildProcess) {
    this.#child = child;
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /**
   * Starts one, and resolves once what it was told to write is stored.
   *
   * @param orders What it does.
   * @returns The process.
   */
  static async start(orders: ProducerOrders): Promise<ProducerProcess> {
    const producer = await ProducerProcess.begin(orders);
    const line = await producer.line();
    if (line !== "stored") throw new Error(`The producer said ${line}`);
    return producer;
  }

  /**
   * Starts one, and resolves once it holds the claim.
   *
   * @param orders What it does.
   * @returns The process.
   */
  static async begin(orders: ProducerOrders): Promise<ProducerProcess> {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./producer_child.ts", import.meta.url).href],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify(orders)));
    await writer.close();
    const producer = new ProducerProcess(child);
    const line = await producer.line();
    if (line !== "begun") throw new Error(`The producer said ${line}`);
    return producer;
  }

  /** The next line that it prints; empty once it has ended. */
  async line(): Promise<string> {
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#lines.read();
      if (done) return "";
      this.#rest += value;
    }
    const [line] = this.#rest.split("\n", 1);
    this.#rest = this.#rest.slice(line.length + 1);
    return line;
  }

  /** Waits until it prints a line, whatever comes before. */
  async says(wanted: string): Promise<void> {
    for (let line; (line = await this.line()) !== wanted;) {
      if (line === "") throw new Error(`The producer ended and did not say ${wanted}`);
    }
  }

  /** Stops it (`SIGSTOP`) or wakes it again (`SIGCONT`). */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    try {
      this.#child.kill(signal);
    } catch {
      // it has ended
    }
  }

  /** Kills it where it still runs, and resolves once it is gone. */
  async kill(): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await this.#child.status;
    await this.#lines.cancel();
  }
}
