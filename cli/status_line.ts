/**
 * The one live line on stderr that tells how a stream is doing: queued, running, tokens a second.
 *
 * @module
 */
import type { StatusEvent } from "../stream/mod.ts";

/** Milliseconds between two drawings. */
const PACE = 200;
const CLEAR = "\r\x1b[2K";

/** Where a {@linkcode StatusLine} draws. */
export interface StatusLineOptions {
  /** Whether it draws at all; whether stderr is a terminal by default. */
  enabled?: boolean;
  /** Whether the text goes to the same terminal, so that the line has to give way to it; whether stdout is one by default. */
  sharesTerminal?: boolean;
  /** Takes what is drawn; stderr by default. */
  write?: (text: string) => void;
  /** Milliseconds since some time. */
  now?: () => number;
  /** Columns of the terminal. */
  columns?: number;
}

/** Draws nothing where stderr is no terminal. */
export class StatusLine {
  #enabled: boolean;
  #sharesTerminal: boolean;
  #write: (text: string) => void;
  #now: () => number;
  #columns: number;
  #start: number;
  #since: number;
  #state = "connecting";
  #first?: number;
  #tokens = 0;
  #timer?: ReturnType<typeof setInterval>;

  /** @param options Where it draws. */
  constructor(options: StatusLineOptions = {}) {
    this.#enabled = options.enabled ?? Deno.stderr.isTerminal();
    this.#sharesTerminal = options.sharesTerminal ?? Deno.stdout.isTerminal();
    this.#write = options.write ?? writeToStderr;
    this.#now = options.now ?? (() => performance.now());
    this.#columns = options.columns ?? (this.#enabled ? columns() : 80);
    this.#start = this.#since = this.#now();
    if (!this.#enabled) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), PACE);
  }

  /**
   * The job's state changed.
   *
   * @param status What was told.
   */
  status(status: StatusEvent): void {
    const { state, position, eta, reason, node, jobId, attempt } = status;
    if (!this.#state.startsWith(state)) this.#since = this.#now();
    this.#state = [
      state + (node ? ` on ${node}` : ""),
      ...(jobId ? [`job ${jobId}`] : []),
      ...(position === undefined ? [] : [`position ${position}`]),
      ...(state === "queued" ? [eta === undefined ? "start unknown" : `start ${clock(eta)}`] : []),
      ...(attempt === undefined ? [] : [`attempt ${attempt}`]),
      ...(reason ? [reason] : []),
    ].join(", ");
    this.#draw();
  }

  /** A token came. */
  token(): void {
    this.#tokens++;
    if (this.#first !== undefined) return;
    this.#first = this.#now();
    if (!this.#enabled) return;
    if (this.#sharesTerminal) {
      this.#stop();
      this.#write(CLEAR);
    } else {
      this.#draw();
    }
  }

  /**
   * It is over: the line is left with the figures, or removed where there are none.
   *
   * @param how How it ended.
   */
  end(how: string): void {
    if (!this.#enabled) return;
    this.#stop();
    const figures = this.#first === undefined ? "" : ` · ${this.#figures()}`;
    const passed = seconds(this.#now() - this.#start);
    this.#write(
      `${this.#sharesTerminal ? "" : CLEAR}${how} after ${passed}${figures}\n`,
    );
  }

  /** Gives way, for good. */
  clear(): void {
    if (!this.#enabled || this.#timer === undefined) return;
    this.#stop();
    this.#write(CLEAR);
  }

  #figures(): string {
    const first = this.#first ?? this.#now();
    const passed = (this.#now() - first) / 1000;
    const rate = this.#tokens > 1 && passed > 0
      ? ` · ${((this.#tokens - 1) / passed).toFixed(1)} tokens/s`
      : "";
    return `first token after ${seconds(first - this.#start)} · ${this.#tokens} ${
      this.#tokens === 1 ? "token" : "tokens"
    }${rate}`;
  }

  #draw(): void {
    if (!this.#enabled || (this.#first !== undefined && this.#sharesTerminal)) {
      return;
    }
    const line = this.#first === undefined
      ? `${this.#state} · ${seconds(this.#now() - this.#since)}`
      : this.#figures();
    this.#write(CLEAR + line.slice(0, this.#columns - 1));
  }

  #stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

function seconds(milliseconds: number): string {
  const whole = milliseconds / 1000;
  return whole < 60
    ? `${whole.toFixed(1)} s`
    : `${Math.floor(whole / 60)} min ${Math.floor(whole % 60)} s`;
}

/** A time of day; with its day unless that is today. */
function clock(milliseconds: number): string {
  const date = new Date(milliseconds);
  const two = (number: number) => `${number}`.padStart(2, "0");
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`;
  if (date.toDateString() === new Date().toDateString()) return time;
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

function columns(): number {
  try {
    return Deno.consoleSize().columns || 80;
  } catch {
    return 80;
  }
}

function writeToStderr(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // the terminal is gone
  }
}
