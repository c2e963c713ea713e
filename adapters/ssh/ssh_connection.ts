/**
 * One login on another machine, by OpenSSH's own client: `~/.ssh/config`, agents, jump hosts and second
 * factors work as they do in a terminal, and everything goes over one multiplexed connection.
 *
 * @module
 */
import { StreamError } from "../../stream/stream_error.ts";
import { cleanEnvironment } from "../clean_environment.ts";
import { pipedProcess } from "../piped_process.ts";
import { type ProgramOutcome, runProgram } from "../run_program.ts";
import { REMOTE_SHELL } from "./remote_shell.ts";
import { sshControlPath } from "./ssh_control_path.ts";
import { sshFailure } from "./ssh_failure.ts";
import { checkSsh, type SshOptions } from "./ssh_options.ts";

interface Login {
  /** Arguments that all calls share. */
  base: string[];
  /** Arguments for what the user's configuration leaves open. */
  patience: string[];
  /** Serialises processes that open at the same time; none on a path of the user's own. */
  lock?: string;
}

const connections = new Map<string, SshConnection>();

/** A connection that is opened when it is first used, and shared by all of this user's processes. */
export class SshConnection {
  /** The host, as it was given. */
  readonly host: string;
  #options: SshOptions;
  #program: string;
  #login?: Promise<Login>;
  #opening?: Promise<void>;
  #asked = false;
  #tunnels = new Map<string, Promise<number>>();

  /**
   * Use {@linkcode SshConnection.to}, which shares connections.
   *
   * @param options How the host is reached.
   */
  constructor(options: SshOptions) {
    this.#options = checkSsh(options);
    this.#program = options.program ?? "ssh";
    this.host = options.host;
  }

  /**
   * The connection to a host, one in a process for the same options. Connections with other options
   * share the login all the same.
   *
   * @param options How the host is reached.
   * @returns The connection; nothing is started yet.
   * @throws {StreamError} `bad_request` for options that can't be.
   */
  static to(options: SshOptions): SshConnection {
    const key = JSON.stringify(Object.entries(options).sort());
    let connection = connections.get(key);
    if (!connection) connections.set(key, connection = new SshConnection(options));
    return connection;
  }

  /**
   * Makes sure that there is a connection. Somebody at the terminal may be asked for a password once;
   * later, and where nobody is there, a connection that can't be had without is an error.
   *
   * @throws {StreamError} `unreachable` or `unauthorized`, in ssh's own words.
   */
  async open(): Promise<void> {
    if (await this.#master() !== undefined) return;
    // the configuration may have changed meanwhile, or the socket's folder have been cleaned away
    if (!this.#opening) this.#login = undefined;
    const opening = this.#opening ??= this.#open().finally(() => this.#opening = undefined);
    await opening;
  }

  /**
   * Starts a shell on the host.
   *
   * @returns Its process: what it shall do goes in on standard input.
   * @throws {StreamError} As {@linkcode SshConnection.open} does.
   */
  async shell(): Promise<Deno.ChildProcess> {
    await this.open();
    const { base, patience } = await this.#logIn();
    return pipedProcess(this.#program, [
      ...base,
      ...patience,
      ...flags({
        // without a master, a key may still do; a question is never asked
        ControlMaster: "no",
        BatchMode: "yes",
        ClearAllForwardings: "yes",
        RemoteCommand: "none",
      }),
      "-Tax",
      "--",
      this.host,
      REMOTE_SHELL,
    ]);
  }

  /**
   * Leads a port of the host's loopback to an address as seen from here, for as long as the connection
   * lives.
   *
   * @param target Host and port, as seen from here.
   * @returns The host's port.
   * @throws {StreamError} `submit_failed` where the host does not allow it.
   */
  async tunnel(target: string): Promise<number> {
    await this.open();
    // a connection that was made anew has none of the old one's tunnels
    const key = `${await this.#master()} ${target}`;
    let port = this.#tunnels.get(key);
    if (!port) {
      port = this.#forward(target);
      this.#tunnels.set(key, port);
      port.catch(() => this.#tunnels.delete(key));
    }
    return await port;
  }

  /**
   * Leads a port of this machine's loopback to an address as seen from the host.
   *
   * @param target Host and port, as seen from there.
   * @returns The port, and what takes it back.
   * @throws {StreamError} `submit_failed` where ssh refuses.
   */
  async reach(target: string): Promise<{ port: number; close(): Promise<void> }> {
    await this.open();
    let words = "";
    // ssh can't be asked for any port that is free: another program may be faster with the one found here
    for (let tries = 0; tries < 5; tries++) {
      const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      const { port } = probe.addr;
      probe.close();
      const way = `127.0.0.1:${port}:${target}`;
      const { code, stderr } = await this.#control("forward", "-L", way);
      if (code === 0) {
        return { port, close: async () => void await this.#control("cancel", "-L", way) };
      }
      words = stderr;
    }
    throw new StreamError(
      "submit_failed",
      `Cannot reach ${target} through ${this.host}: ${words || "ssh gave no reason"}`,
    );
  }

  /** Ends the connection, and all that goes over it, for every process of this user. */
  async close(): Promise<void> {
    await this.#control("exit");
  }

  async #open(): Promise<void> {
    const { base, patience, lock: path } = await this.#logIn();
    const ask = !this.#asked && (this.#options.interactive ?? Deno.stderr.isTerminal());
    const lock = path === undefined
      ? undefined
      : await Deno.open(path, { create: true, write: true, mode: 0o600 });
    try {
      await lock?.lock(true).catch(() => {});
      if (await this.#master() !== undefined) return;
      if (ask) this.#asked = true;
      const args = [
        ...base,
        ...patience,
        ...flags({
          ControlMaster: "auto",
          ControlPersist: String(this.#options.persist ?? 3_600),
          BatchMode: ask ? "no" : "yes",
          ClearAllForwardings: "yes",
          RemoteCommand: "none",
        }),
        "-NTax",
        "--",
        this.host,
      ];
      const { code, words } = await this.#start(args, ask);
      if (code !== 0 || await this.#master() === undefined) {
        throw sshFailure(this.host, words, { asked: ask, command: this.#byHand(base) });
      }
    } finally {
      lock?.close();
      if (path !== undefined) await Deno.remove(path).catch(() => {});
    }
  }

  /** Starts the connection; its own process goes to the background as soon as it is logged in. */
  async #start(args: string[], ask: boolean): Promise<{ code: number; words: string }> {
    const child = new Deno.Command(this.#program, {
      args,
      clearEnv: true,
      env: cleanEnvironment(),
      stdin: "null",
      stdout: "null",
      // who is asked a question has to see all that is said
      stderr: ask ? "inherit" : "piped",
      detached: !ask,
    }).spawn();
    if (ask) return { code: (await child.status).code, words: "" };
    const reader = child.stderr.getReader();
    const decoder = new TextDecoder();
    let words = "";
    const reading = (async () => {
      for (let { value } = await reader.read(); value; { value } = await reader.read()) {
        words += decoder.decode(value, { stream: true });
      }
    })();
    const { code } = await child.status;
    // older versions keep it open in the background: then there are no words to wait for
    if (code !== 0) await reading;
    else await reader.cancel();
    return { code, words };
  }

  async #forward(target: string): Promise<number> {
    const { code, stdout, stderr } = await this.#control(
      "forward",
      "-R",
      `127.0.0.1:0:${target}`,
    );
    const port = Number(stdout.trim());
    if (code === 0 && Number.isSafeInteger(port) && port > 0) return port;
    throw new StreamError(
      "submit_failed",
      `Cannot lead ${this.host} to the relay over ssh: ${
        stderr || "it gave no port"
      }; expected a host that allows remote forwarding, or relay.url that it can reach`,
    );
  }

  /** The process of the connection that lives, if one does. */
  async #master(): Promise<string | undefined> {
    const { code, stderr } = await this.#control("check");
    return code === 0 ? /pid=(\d+)/.exec(stderr)?.[1] ?? "unknown" : undefined;
  }

  async #control(command: string, ...args: string[]): Promise<ProgramOutcome> {
    const { base } = await this.#logIn();
    return await this.#ssh([...base, "-O", command, ...args, "--", this.host]);
  }

  #logIn(): Promise<Login> {
    const login = this.#login ??= this.#askConfiguration();
    login.catch(() => this.#login = undefined);
    return login;
  }

  /** What ssh makes of its configuration for this host. */
  async #askConfiguration(): Promise<Login> {
    const { config } = this.#options;
    const base = config === undefined ? [] : ["-F", config];
    const { code, stdout, stderr } = await this.#ssh([...base, "-G", "--", this.host]);
    if (code !== 0) {
      throw new StreamError(
        "bad_request",
        `Cannot use ssh host ${this.host}: ${stderr || "ssh gave no reason"}`,
      );
    }
    const says = (name: string) => RegExp(`^${name} (.*)$`, "im").exec(stdout)?.[1];
    const left = (name: string) => [undefined, "none", "0"].includes(says(name));
    const open: Record<string, string> = {};
    if (left("connecttimeout")) {
      open.ConnectTimeout = String(this.#options.connectTimeout ?? 15);
    }
    if (left("serveraliveinterval")) open.ServerAliveInterval = "15";
    const patience = flags(open);
    // where the user shares connections already, theirs is the one that is logged in
    if (!left("controlpath")) return { base, patience };
    const path = await sshControlPath([
      config ?? "",
      ...["user", "hostname", "port", "proxyjump", "proxycommand"].map((name) => says(name) ?? ""),
    ]);
    return {
      base: [...base, ...flags({ ControlPath: path })],
      patience,
      lock: `${path}.lock`,
    };
  }

  #ssh(args: string[]): Promise<ProgramOutcome> {
    return runProgram(this.#program, args);
  }

  /** What a person can type to log in. */
  #byHand(base: string[]): string {
    const options = flags({ ControlMaster: "auto", ControlPersist: "3600" });
    return [this.#program, ...base, ...options, "-N", this.host].join(" ");
  }
}

function flags(options: Record<string, string>): string[] {
  return Object.entries(options).flatMap(([name, value]) => ["-o", `${name}=${value}`]);
}
