/**
 * A relay that can be killed and comes back on the same port and data.
 *
 * @module
 */
import type { RelayOptions } from "../../server/mod.ts";

/** What a {@linkcode RelayProcess} is started with. */
export interface RelayProcessOptions {
  /** The root secret. */
  secret: string;
  /** The folder of its store; in memory without. */
  folder?: string;
  /** Seconds a producer may be away. */
  grace?: number;
  /** Others of `serveRelay`, as far as JSON holds them. */
  options?: RelayOptions;
  /** Whether its clock can be made to jump. */
  clock?: boolean;
}

/** A relay in a process of its own. */
export class RelayProcess {
  /** Where it listens, once started. */
  port = 0;
  /** How often it was killed. */
  kills = 0;
  #options: RelayProcessOptions;
  #child?: Deno.ChildProcess;
  #lines?: ReadableStreamDefaultReader<string>;
  #jump?: string;

  /** @param options Secret and store. */
  constructor(options: RelayProcessOptions) {
    this.#options = options;
  }

  /** Its process id, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Its address. */
  get url(): string {
    return `ws://127.0.0.1:${this.port}`;
  }

  /** Starts it, and resolves once it listens. */
  async start(): Promise<void> {
    const { secret, folder, grace, options, clock } = this.#options;
    if (clock) this.#jump ??= await Deno.makeTempFile();
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./relay_child.ts", import.meta.url).href],
      env: {
        FAULTS_SECRET: secret,
        FAULTS_OPTIONS: JSON.stringify({ producerGrace: grace, ...options, port: this.port }),
        ...(folder && { FAULTS_STORE: folder }),
        ...(this.#jump && { FAULTS_JUMP: this.#jump }),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    this.#lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.port = Number(await this.#line());
  }

  /** Kills it with SIGKILL, and resolves once it is gone. */
  async kill(): Promise<void> {
    this.kills++;
    await this.#end("SIGKILL");
  }

  /** Asks it to end, and resolves with its exit code. */
  async stop(): Promise<number> {
    const code = await this.#end("SIGTERM");
    if (this.#jump) await Deno.remove(this.#jump);
    this.#jump = undefined;
    return code;
  }

  /** Waits until it has ended by itself, and resolves with its exit code. */
  async ended(): Promise<number> {
    return await this.#end();
  }

  /** Makes its clock jump, and resolves once that has happened. */
  async jump(milliseconds: number): Promise<void> {
    await Deno.writeTextFile(this.#jump!, String(milliseconds));
    this.#child!.kill("SIGUSR2");
    await this.#line();
  }

  /** Bytes of memory it has now, and had at most. */
  async memory(): Promise<{ now: number; most: number }> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    const bytes = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)![1]) * 1024;
    return { now: bytes("VmRSS"), most: bytes("VmHWM") };
  }

  async #line(): Promise<string> {
    const { value } = await this.#lines!.read();
    if (!value) throw new Error("The relay ended before it answered");
    return value.trim();
  }

  async #end(signal?: Deno.Signal): Promise<number> {
    const child = this.#child;
    if (!child) return 0;
    this.#child = undefined;
    if (signal) child.kill(signal);
    const { code } = await child.status;
    await this.#lines!.cancel();
    return code;
  }
}
