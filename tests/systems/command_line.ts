/** Runs the command line as a person would, for tests. @module */

import { until } from "../tools/until.ts";

const ROOT = new URL("../../", import.meta.url);

/** How a command ended, and what it printed. */
export interface CommandOutcome {
  /** Its exit code. */
  code: number;
  /** What it printed. */
  stdout: string;
  /** What it said to the person. */
  stderr: string;
}

/** A command that runs. */
export interface RunningCommand {
  /** Its process. */
  readonly pid: number;
  /** Resolves with what the output holds as soon as that holds the words. */
  printed(words: string | RegExp, where?: "stdout" | "stderr"): Promise<string>;
  /** Sends a signal. */
  kill(signal: Deno.Signal): void;
  /** Writes to its stdin. */
  write(text: string): Promise<void>;
  /** Closes its stdin. */
  end(): Promise<void>;
  /** How it ended. */
  readonly outcome: Promise<CommandOutcome>;
}

/** Options of a command. */
export interface CommandOptions {
  /** Added to the environment. */
  env?: Record<string, string>;
  /** Its whole standard input. */
  stdin?: string;
}

/** A user of the command line with a home of their own. */
export interface Person {
  /** Their home folder; the state folder is `state/streamrelay` in it, the configuration `config`. */
  readonly home: string;
  /** Runs a command to its end. */
  run(args: readonly string[], options?: CommandOptions): Promise<CommandOutcome>;
  /** Starts a command. */
  start(args: readonly string[], options?: CommandOptions): RunningCommand;
  /** Writes a configuration with these profiles, by their names. */
  profiles(profiles: Record<string, unknown>): Promise<void>;
  /** Writes `infer.sh`, a bash script of these lines, and gives its path. */
  script(lines: string): Promise<string>;
  /** Ends what they have started, relays that were started for them too, and removes their home. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Milliseconds that words have to be printed. */
const PATIENCE = 60_000;

/**
 * Makes a person: an empty home, and an environment without any variable of ours.
 *
 * @param command What starts the command line; this working tree's by default.
 * @param base Added to the environment of all commands.
 * @returns The person.
 */
export async function person(
  command: readonly string[] = [
    Deno.execPath(),
    "run",
    "-A",
    "--quiet",
    new URL("cli.ts", ROOT).pathname,
  ],
  base: Record<string, string> = {},
): Promise<Person> {
  const home = await Deno.makeTempDir({ prefix: "streamrelay-person-" });
  const env = {
    ...Object.fromEntries(
      Object.entries(Deno.env.toObject()).filter(([name]) => !/^(STREAMRELAY|RELAY)_/.test(name)),
    ),
    XDG_STATE_HOME: `${home}/state`,
    XDG_CONFIG_HOME: `${home}/config`,
    NO_COLOR: "1",
    ...base,
  };
  const running = new Set<RunningCommand>();
  const start = (args: readonly string[], options: CommandOptions = {}) => {
    const one = spawn([...command, ...args], { ...env, ...options.env }, home);
    running.add(one);
    one.outcome.then(() => running.delete(one));
    if (options.stdin !== undefined) one.write(options.stdin).then(() => one.end(), () => {});
    return one;
  };
  return {
    home,
    start,
    async run(args, options = {}) {
      const one = start(args, { stdin: "", ...options });
      return await one.outcome;
    },
    async profiles(profiles) {
      const folder = `${home}/config/streamrelay`;
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(`${folder}/config.json`, JSON.stringify({ profiles }));
    },
    async script(lines) {
      const path = `${home}/infer.sh`;
      await Deno.writeTextFile(path, `#!/bin/bash\n${lines}\n`);
      return path;
    },
    async [Symbol.asyncDispose]() {
      for (const one of running) one.kill("SIGKILL");
      await Promise.all([...running].map((one) => one.outcome));
      await endRelays(`${home}/state/streamrelay/relays`);
      // what was detached may write its last words meanwhile
      await until(
        "the home is removed",
        () => Deno.remove(home, { recursive: true }).then(() => true, () => false),
      );
    },
  };
}

function spawn(
  command: readonly string[],
  env: Record<string, string>,
  cwd: string,
): RunningCommand {
  const child = new Deno.Command(command[0], {
    args: command.slice(1),
    clearEnv: true,
    env,
    cwd,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const stdin = child.stdin.getWriter();
  const outputs = { stdout: new Output(child.stdout), stderr: new Output(child.stderr) };
  const outcome = (async () => {
    const [{ code }, stdout, stderr] = await Promise.all([
      child.status,
      outputs.stdout.whole,
      outputs.stderr.whole,
    ]);
    await stdin.close().catch(() => {});
    return { code, stdout, stderr };
  })();
  return {
    pid: child.pid,
    outcome,
    async printed(words, where = "stdout") {
      try {
        return await outputs[where].until(words);
      } catch (cause) {
        throw new Error(`${command.join(" ")}: ${(cause as Error).message}${outputs.stderr.text}`);
      }
    },
    kill(signal) {
      try {
        child.kill(signal);
      } catch {
        // it has ended
      }
    },
    write: (text) => stdin.write(new TextEncoder().encode(text)),
    end: () => stdin.close(),
  };
}

/** What a program prints, as it comes. */
class Output {
  readonly whole: Promise<string>;
  #text = "";
  #told: (() => void)[] = [];

  constructor(stream: ReadableStream<Uint8Array<ArrayBuffer>>) {
    this.whole = this.#read(stream);
  }

  /** What was printed so far. */
  get text(): string {
    return this.#text;
  }

  async until(words: string | RegExp): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#tell();
    }, PATIENCE);
    let over = false;
    this.whole.then(() => {
      over = true;
      this.#tell();
    });
    try {
      for (;;) {
        const found = typeof words === "string"
          ? this.#text.includes(words)
          : words.test(this.#text);
        if (found) return this.#text;
        if (over || late) {
          throw new Error(`Not printed: ${words}, but: ${this.#text}\n`);
        }
        await new Promise<void>((resolve) => this.#told.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }

  async #read(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<string> {
    for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
      this.#text += piece;
      this.#tell();
    }
    return this.#text;
  }

  #tell() {
    for (const resolve of this.#told.splice(0)) resolve();
  }
}

/** Relays that were started by commands go on without them. */
async function endRelays(folder: string): Promise<void> {
  try {
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".json")) continue;
      const { pid } = JSON.parse(await Deno.readTextFile(`${folder}/${name}`));
      Deno.kill(pid, "SIGKILL");
    }
  } catch {
    // there is none
  }
}
