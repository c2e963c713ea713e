/** A machine whose administrator has left files in `/etc/streamrelay`. @module */

/** Copies /etc, puts the files there, and mounts the copy, for the command alone. */
const MOUNT = `set -e
mount -t tmpfs none "$1"
cp -a /etc/. "$1" 2>/dev/null || [ -e "$1/passwd" ]
cp -a "$2" "$1/streamrelay"
awk -F: -v OFS=: -v uid="$4" -v home="$3" '$3 == uid { if (home == "") next; $6 = home } 1' /etc/passwd >"$1/passwd"
sed -i 's/^passwd:.*/passwd: files/' "$1/nsswitch.conf" || :
mount --bind "$1" /etc
shift 4
exec "$@"`;

/** Such a machine. */
export interface SiteMachine extends AsyncDisposable {
  /** The home folder that the system has of this user there. */
  home: string;
  /** What `/etc/streamrelay` is a copy of there. */
  files: string;
  /** What is put before a command, so that it runs there. */
  command: string[];
  /** Writes a file of `/etc/streamrelay`; commands that start later find it. */
  write(name: string, content: unknown): Promise<void>;
}

/**
 * Makes such a machine: this one, but for `/etc`.
 *
 * @param policy Its policy; none by default.
 * @param options `stranger`: the system does not know this user, as in many a container.
 * @returns The machine.
 */
export async function siteMachine(
  policy?: unknown,
  options: { stranger?: boolean } = {},
): Promise<SiteMachine> {
  const dir = await Deno.makeTempDir({ prefix: "streamrelay-site-" });
  const [etc, files, home] = ["etc", "files", "home"].map((name) => `${dir}/${name}`);
  for (const folder of [etc, files, home]) await Deno.mkdir(folder);
  const flags = Deno.env.get("STREAMRELAY_TEST_MOUNTS") ?? "-m";
  // within a namespace of users one is root
  const uid = flags === "-m" ? Deno.uid() : 0;
  const known = options.stranger ? "" : home;
  const machine: SiteMachine = {
    home,
    files,
    command: ["unshare", flags, "sh", "-c", MOUNT, "sh", etc, files, known, String(uid)],
    write: (name, content) =>
      Deno.writeTextFile(
        `${files}/${name}`,
        typeof content === "string" ? content : JSON.stringify(content),
      ),
    [Symbol.asyncDispose]: () => Deno.remove(dir, { recursive: true }),
  };
  if (policy !== undefined) await machine.write("policy.json", policy);
  return machine;
}
