/** File systems that are small enough to fill. @module */

/** A small disk of its own. */
export interface Disk extends AsyncDisposable {
  /** Where it is mounted. */
  path: string;
  /** Takes all the room that is left. */
  fill(): Promise<void>;
  /** Gives it back, all of it or so many bytes. */
  free(bytes?: number): Promise<void>;
}

/**
 * Mounts one.
 *
 * @param mib Its size in MiB.
 * @returns The disk, until it is disposed of.
 */
export async function disk(mib: number): Promise<Disk> {
  const path = await Deno.makeTempDir();
  await run("mount", "-t", "tmpfs", "-o", `size=${mib}m,mode=0700`, "tmpfs", path);
  const ballast = `${path}/ballast`;
  return {
    path,
    async fill() {
      const file = await Deno.open(ballast, { create: true, append: true });
      try {
        // down to the last page
        for (const size of [65_536, 4096]) {
          const block = new Uint8Array(size);
          while (await file.write(block).catch(() => 0) === size);
        }
      } finally {
        file.close();
      }
    },
    async free(bytes) {
      if (bytes === undefined) return await Deno.remove(ballast);
      await Deno.truncate(ballast, (await Deno.stat(ballast)).size - bytes);
    },
    async [Symbol.asyncDispose]() {
      await run("umount", path);
      await Deno.remove(path);
    },
  };
}

async function run(...command: string[]): Promise<void> {
  const [name, ...args] = command;
  const { success, stderr } = await new Deno.Command(name, { args }).output();
  if (!success) throw new Error(`${command.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}

/** Whether no disk can be mounted here. */
export async function cannotMount(): Promise<boolean> {
  if (Deno.build.os !== "linux" || Deno.uid() !== 0) return true;
  try {
    await (await disk(1))[Symbol.asyncDispose]();
    return false;
  } catch {
    // a container without that right
    return true;
  }
}
