/**
 * A relay that can be killed and comes back on the same port and data.
 *
 * @module
 */

/** What a {@linkcode RelayProcess} is started with. */
export interface RelayProcessOptions {
  /** The root secret. */
  secret: string;
  /** The folder of its store; in memory without. */
  folder?: string;
  /** Seconds a producer may be away. */
  grace?: number;
}

/** A relay in a process of its own. */
export class RelayProcess {
  /** Where it listens, once started. */
  port = 0;
  /** How often it was killed. */
  kills = 0;
  #options: RelayProcessOptions;
  #child?: Deno.ChildProcess;

  /** @param options Secret and store. */
  constructor(options: RelayProcessOptions) {
    this.#options = options;
  }

  /** Its process id, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Starts it, and resolves once it listens. */
  async start(): Promise<void> {
    const { secret, folder, grace } = this.#options;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", new URL("./relay_child.ts", import.meta.url).href],
      env: {
        FAULTS_PORT: String(this.port),
        FAULTS_SECRET: secret,
        ...(folder && { FAULTS_STORE: folder }),
        ...(grace !== undefined && { FAULTS_GRACE: String(grace) }),
      },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#child = child;
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    if (!value) throw new Error("The relay ended before it listened");
    this.port = Number(new TextDecoder().decode(value).trim());
    reader.releaseLock();
  }

  /** Kills it with SIGKILL, and resolves once it is gone. */
  async kill(): Promise<void> {
    this.kills++;
    await this.#end("SIGKILL");
  }

  /** Asks it to end, and resolves with its exit code. */
  async stop(): Promise<number> {
    return await this.#end("SIGTERM");
  }

  async #end(signal: Deno.Signal): Promise<number> {
    const child = this.#child;
    if (!child) return 0;
    this.#child = undefined;
    child.kill(signal);
    const { code } = await child.status;
    await child.stdout.cancel();
    return code;
  }
}
