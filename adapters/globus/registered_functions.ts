/**
 * Registers each function once, and remembers its id.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { readPrivate, stateFolder, writePrivate } from "../state_folder.ts";
import type { ComputeService } from "./compute_service.ts";
import type { RemoteFunction } from "./remote_functions.ts";

/** The functions that one account has registered with one service. */
export class RegisteredFunctions {
  #service: ComputeService;
  #account?: string;
  #known = new Map<string, Promise<string>>();

  /**
   * @param service Registers them.
   * @param account Service and account, under which ids are kept in the state folder; without it they
   * are kept in memory.
   */
  constructor(service: ComputeService, account?: string) {
    this.#service = service;
    this.#account = account;
  }

  /**
   * The id of a function, which is registered unless it was before.
   *
   * @param remote The function.
   * @returns Its id.
   */
  async idOf(remote: RemoteFunction): Promise<string> {
    const key = await this.#key(remote);
    let known = this.#known.get(key);
    if (!known) {
      known = this.#find(key, remote);
      this.#known.set(key, known);
      known.catch(() => this.#known.delete(key));
    }
    return await known;
  }

  /**
   * Forgets a function that the service no longer has, or no longer lets one call.
   *
   * @param remote The function.
   */
  async forget(remote: RemoteFunction): Promise<void> {
    const key = await this.#key(remote);
    this.#known.delete(key);
    if (this.#account === undefined) return;
    await Deno.remove(await pathOf(key)).catch(() => {});
  }

  async #find(key: string, remote: RemoteFunction): Promise<string> {
    const kept = this.#account !== undefined && await readPrivate(await pathOf(key));
    if (kept && typeof (kept as { id?: unknown }).id === "string") {
      return (kept as { id: string }).id;
    }
    const id = await this.#service.registerFunction(remote);
    if (this.#account !== undefined) {
      // a state folder that can't be written costs one more registration
      await writePrivate(await pathOf(key), JSON.stringify({ id }) + "\n").catch(() => {});
    }
    return id;
  }

  async #key({ name, source }: RemoteFunction): Promise<string> {
    const text = JSON.stringify([this.#account, name, source]);
    const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return encodeHex(hash).slice(0, 32);
  }
}

/** One file a function, so that two processes never write each other's. */
async function pathOf(key: string): Promise<string> {
  return `${await stateFolder("globus")}/function-${key}.json`;
}
