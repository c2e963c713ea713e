/**
 * A program's output on its way to a channel, and the program's end.
 *
 * @module
 */
import { hostname } from "node:os";
import process from "node:process";
import { fromEnvironment } from "../../client/environment.ts";
import { RelayProducer } from "../../client/relay_producer.ts";
import { StreamError } from "../../stream/mod.ts";
import { failureOf, type JobVerdict } from "./job_verdict.ts";
import { needsPost } from "./proxied_fetch.ts";
import { findDistrust } from "./relay_trust.ts";
import { say, seconds } from "./settings.ts";
import { spoolFolder } from "./spool_fetch.ts";
import { TextSpool } from "./text_spool.ts";

/** Sends what it is given to the channel that the environment names, and keeps it while it can't. */
export class OutputStream {
  #producer: RelayProducer;
  #spool = new TextSpool();
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  #silent = true;
  #cancel?: StreamError;
  #distrust?: string;
  #isOver: () => boolean;

  /**
   * @param onCancel Called once when the stream is cancelled before the program's end.
   * @param isOver Whether the program has ended by itself.
   * @param continues What the producer continues.
   */
  constructor(
    onCancel: () => void,
    isOver: () => boolean = () => false,
    continues?: { epoch: number; count: number },
  ) {
    this.#isOver = isOver;
    const spool = spoolFolder() !== undefined;
    // Patience is counted here: as long as the program runs there is no end to it.
    const producer = new RelayProducer({
      retry: { giveUpAfter: Number.MAX_SAFE_INTEGER },
      heartbeat: Math.min(seconds("HEARTBEAT", 15), spool ? seconds("LOOK", 2) : Infinity) * 1000,
      ...((spool || needsPost(fromEnvironment().url)) && { protocol: "http" }),
      ...(continues && { continues }),
    });
    this.#producer = producer;
    void findDistrust().then((why) => this.#distrust = why);
    producer.signal.addEventListener("abort", () => {
      const { reason } = producer.signal;
      if (reason?.code !== "cancelled" || this.#isOver()) return;
      this.#cancel = reason;
      onCancel();
    });
  }

  /** Whether the stream was cancelled. */
  get cancelled(): boolean {
    return this.#cancel !== undefined;
  }

  /** Whether all of the output is there. */
  get ended(): boolean {
    return this.#spool.ended;
  }

  /** Output as it comes. */
  write(bytes: Uint8Array): void {
    this.#silent = false;
    this.#spool.put(this.#decoder.decode(bytes, { stream: true }));
  }

  /** Tells that no more output comes. */
  close(): void {
    if (!this.#spool.ended) this.#spool.put(this.#decoder.decode());
    this.#spool.end();
  }

  /**
   * Sends until the output is closed.
   *
   * @throws {StreamError} Why the stream can't go on.
   */
  async send(): Promise<void> {
    const hint = seconds("HINT", 60);
    const timer = setTimeout(() => {
      if (!this.#silent || hint <= 0) return;
      say(
        `no output for ${hint} s; it may be buffered: flush it after each piece, or see stdbuf and PYTHONUNBUFFERED`,
      );
    }, hint * 1000);
    const { STREAMRELAY_JOB_ID, SLURM_JOB_ID, PBS_JOBID } = process.env;
    // whoever sets ours knows more than the scheduler's variable tells, of an array's task for one
    const jobId = STREAMRELAY_JOB_ID || SLURM_JOB_ID || PBS_JOBID;
    try {
      await this.#producer.status("running", { node: hostname(), ...(jobId && { jobId }) });
      for (let texts; (texts = await this.#spool.take()) !== undefined;) {
        for (const text of texts) await this.#patiently(this.#producer.token(text));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Ends the stream as the program ended, or as cancelled.
   *
   * @param verdict How the program ended.
   * @throws {StreamError} Why the relay didn't acknowledge it.
   */
  async finish(verdict: JobVerdict): Promise<void> {
    const failure = this.#cancel ?? failureOf(verdict);
    await this.#patiently(
      failure === undefined ? this.#producer.done() : this.#producer.fail(failure),
    );
  }

  /**
   * Leaves the stream without an end, once all of the output is there.
   *
   * @throws {StreamError} Why the relay didn't acknowledge it.
   */
  async leave(): Promise<void> {
    await this.#patiently(this.#producer.close());
  }

  /** Waits for an answer: without limit while the program runs, then for so long. */
  async #patiently(answer: Promise<void>): Promise<void> {
    let timer: ReturnType<typeof setInterval> | undefined;
    let over: number | undefined;
    const patience = seconds("GIVE_UP", 600) * 1000;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setInterval(() => {
        if (this.#distrust !== undefined) {
          return reject(new StreamError("unreachable", this.#distrust));
        }
        if (!this.#spool.ended) return;
        over ??= Date.now();
        if (Date.now() - over < patience) return;
        reject(
          new StreamError(
            "unreachable",
            `no relay answered for ${patience / 1000} s after the program's end`,
          ),
        );
      }, Math.min(200, patience + 1));
    });
    try {
      await Promise.race([answer, late]);
    } finally {
      clearInterval(timer);
    }
  }
}
