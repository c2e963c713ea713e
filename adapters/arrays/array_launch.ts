/**
 * The one submission that the tasks of a job array share.
 *
 * @module
 */
import type { ExecutorConfig } from "../executor_config.ts";
import type { JobOpening } from "../job/job_opening.ts";
import type { Scheduler, Submitted } from "../scheduler.ts";
import { type ArrayWish, prepareArray, type PreparedArray } from "./prepare_array.ts";

/**
 * Readies the channels of all tasks at once, waits until each task is looked after, and submits the
 * array once.
 */
export class ArrayLaunch<C extends ExecutorConfig> {
  #scheduler: Scheduler<C>;
  #wish: ArrayWish<C>;
  #places?: (() => void)[];
  #prepared?: Promise<PreparedArray<C>>;
  #undecided: Set<number>;
  #wanted: number[] = [];
  #submitted: PromiseWithResolvers<Submitted> = Promise.withResolvers();

  /**
   * @param scheduler Where it is submitted.
   * @param wish What is wanted.
   */
  constructor(scheduler: Scheduler<C>, wish: ArrayWish<C>) {
    this.#scheduler = scheduler;
    this.#wish = wish;
    this.#undecided = new Set(wish.array.tasks);
    this.#submitted.promise.catch(() => {});
  }

  /**
   * One task's part.
   *
   * @param task Its index.
   * @returns How its run begins.
   */
  task(task: number): JobOpening<C> {
    return {
      enter: () => {
        const { config, array } = this.#wish;
        this.#places ??= this.#scheduler.enter(config, array.tasks.length);
        return this.#places.pop() ?? (() => {});
      },
      prepare: async (supervision) => {
        this.#prepared ??= prepareArray(this.#scheduler, this.#wish, supervision);
        return (await this.#prepared).jobs.get(task)!;
      },
      submit: async ({ submission }) => {
        this.#decide(task, true);
        const submitted = await this.#submitted.promise;
        return this.#scheduler.arrays!.task(submitted, task, submission);
      },
      withdraw: () => this.#decide(task, false),
      // whoever reads a task opens its channel: of hundreds of tasks most are read later, or not at all
      readerFirst: false,
    };
  }

  /**
   * Removes what all tasks shared.
   *
   * @param ended Resolves once all of them have ended.
   */
  async clear(ended: Promise<unknown>): Promise<void> {
    await ended;
    const { files } = await this.#prepared ?? { files: [] };
    for (const file of files) await this.#scheduler.files.remove(file);
  }

  #decide(task: number, wanted: boolean): void {
    if (!this.#undecided.delete(task)) return;
    if (wanted) this.#wanted.push(task);
    if (this.#undecided.size === 0 && this.#wanted.length > 0) {
      this.#submit().then(this.#submitted.resolve, this.#submitted.reject);
    }
  }

  async #submit(): Promise<Submitted> {
    const { jobs } = await this.#prepared!;
    const [{ submission }] = jobs.values();
    const { limit, text } = this.#wish.array;
    const tasks = this.#wanted.sort((a, b) => a - b);
    return await this.#scheduler.submitJob({ ...submission, array: { tasks, limit, text } });
  }
}
