/**
 * Measuring on a machine that is a guest of another: what the host does meanwhile must not be taken for
 * what a server does.
 *
 * @module
 */

/** How often a turn is measured at most. Such a disturbance is over after some seconds, mostly. */
const MOST_TRIES = 10;
/** How many repetitions there are at most, in all: some hosts are never quiet. */
const MOST_REPEATED = 400;

/** Repeats what was disturbed. */
export class Undisturbed {
  /** How often a turn was measured again. */
  repeated = 0;
  /** How many turns count although they were disturbed the last time as well. */
  disturbed = 0;

  /**
   * Measures until the host took no processor time away meanwhile ("steal" of Linux's `/proc/stat`, told
   * in 1/100 s, of which one is a third of what the p99 of a round stands on). The figures themselves have
   * no say in it.
   *
   * @param measure The turn.
   * @returns What it gave the last time.
   */
  async turn<T>(measure: () => Promise<T>): Promise<T> {
    for (let tries = 1;; tries++) {
      const before = stolen();
      const found = await measure();
      if (!(stolen() > before)) return found;
      if (tries === MOST_TRIES || this.repeated === MOST_REPEATED) {
        this.disturbed++;
        return found;
      }
      this.repeated++;
    }
  }
}

function stolen(): number {
  try {
    // cpu user nice system idle iowait irq softirq steal …
    return Number(Deno.readTextFileSync("/proc/stat").split("\n")[0].split(/ +/)[8]);
  } catch {
    return NaN;
  }
}
