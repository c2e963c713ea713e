/**
 * A relay on a login node, for those who have no relay but may log in: started over the same ssh that
 * jobs are submitted over, reached through it from here, and ended with this process.
 *
 * @module
 */
import { encodeHex } from "@std/encoding/hex";
import { fileURLToPath } from "node:url";
import { StreamError } from "../../stream/stream_error.ts";
import { hearText } from "../hear_text.ts";
import type { Machine, ProgramRunner } from "../program_runner.ts";
import type { EmbeddedRelayOptions } from "../relay/embedded_relay.ts";
import type { ResolvedRelay } from "../relay/relay_for.ts";
import { isAlive } from "../relay/relay_record.ts";
import { shellQuote } from "../shell_quote.ts";
import { notStarted } from "./ssh_programs.ts";

/** Options of {@linkcode viaRelay}. */
export interface ViaRelayOptions extends EmbeddedRelayOptions {
  /** The compute nodes, by the names or addresses that the login node knows; asked for one that is started. */
  nodes: () => Promise<string[]>;
}

/** How much of what it complains about is kept, in characters. */
const TAIL = 2_048;

const ENTRY = new URL("../../cli/relay_process.ts", import.meta.url);
const relays = new WeakMap<Machine, Promise<ResolvedRelay>>();
/** What keeps relays alive: the standard input of each. */
const lifelines = new Set<WritableStreamDefaultWriter<Uint8Array>>();
let bundle: Promise<Uint8Array> | undefined;

/**
 * The relay of this process on a login node; it is started where none lives.
 *
 * @param machine The login node.
 * @param options The address it listens on, or what leads to it; its limits.
 * @returns Its URL as seen from here and from the nodes, and its secret.
 * @throws {StreamError} `unsupported` where there is nothing to run it with, `unreachable` where it does
 * not come up, `submit_failed` where it can't be reached through ssh.
 */
export async function viaRelay(machine: Machine, options: ViaRelayOptions): Promise<ResolvedRelay> {
  let relay = relays.get(machine);
  if (!relay) {
    const forget = () => {
      if (relays.get(machine) === relay) relays.delete(machine);
    };
    relays.set(machine, relay = start(machine, options, forget));
    relay.catch(forget);
  }
  return await relay;
}

/**
 * The machine that such a relay is started on.
 *
 * @param programs What runs a scheduler's programs on a login node; `undefined` where there is none.
 * @returns The login node.
 * @throws {StreamError} `bad_request` where there is none.
 */
export function viaMachine(programs: ProgramRunner | undefined): Machine {
  if (programs?.machine.reach) return programs.machine;
  throw new StreamError(
    "bad_request",
    'Cannot start a relay over ssh: expected via with relay "via", or relay "embedded"',
  );
}

/**
 * The error of somebody who wants to leave a job whose relay ends with this process.
 *
 * @returns What to say.
 */
export function cannotLeave(): StreamError {
  return new StreamError(
    "unsupported",
    'Cannot leave a job whose relay is "via": that ends with this process, expected a relay that stays or transport "file"',
  );
}

async function start(
  machine: Machine,
  options: ViaRelayOptions,
  over: () => void,
): Promise<ResolvedRelay> {
  const { idleExit = 600, host, interface: interfaceName, maxHeap = 512 } = options;
  const [code, nodes] = await Promise.all([
    bundle ??= makeBundle(),
    host === undefined ? options.nodes() : [],
  ]).catch((error) => {
    bundle = undefined;
    throw error;
  });
  const name = machine.host ?? "this machine";
  const mark = `streamrelay-${crypto.randomUUID()}`;
  const secret = encodeHex(crypto.getRandomValues(new Uint8Array(32)));
  const child = await machine.shell();
  const writer = child.stdin.getWriter();
  const wish = { mark, secret, idleExit, host, nodes, interfaceName };
  const text = relayText(mark, { bytes: code.length, maxHeap, runtime: options.runtime });
  // what ends early does not read it all; its words tell
  for (const part of [text, code, `${JSON.stringify(wish)}\n`]) {
    writer.write(typeof part === "string" ? new TextEncoder().encode(part) : part).catch(() => {});
  }
  // from here on nothing of it keeps this process alive; its end is what ends the relay
  child.unref();
  let words = "";
  const listening = hearText(child.stderr, (piece) => words = (words + piece).slice(-TAIL));
  let told = "";
  const begun = Promise.withResolvers<string[] | undefined>();
  const telling = hearText(child.stdout, (piece) => {
    told = (told + piece).slice(-TAIL);
    const [, place] = new RegExp(`^${mark} (missing|relay .*)\n`, "m").exec(told) ?? [];
    if (place) begun.resolve(place.split(" "));
  });
  const timer = setTimeout(() => begun.resolve(undefined), options.startTimeout ?? 60_000);
  lifelines.add(writer);
  const lost = new AbortController();
  const status = Promise.all([child.status, listening, telling]).then(([status]) => {
    lifelines.delete(writer);
    over();
    lost.abort(
      new StreamError(
        "unreachable",
        `The relay on ${name} has ended, and what was on it is lost: ${
          last(words) ?? "nothing was under way, or the ssh connection was cut"
        }; a job that runs goes on, and what it prints is in its output file`,
      ),
    );
    begun.resolve(undefined);
    return status;
  });
  const place = await begun.promise;
  clearTimeout(timer);
  if (place?.[0] !== "relay") {
    await writer.close().catch(() => {});
    if (place) throw nothingToRunIt(name, options.runtime);
    if (!told.includes(`${mark} start`)) throw notStarted(name, (await status).code, words);
    throw new StreamError(
      "unreachable",
      `Cannot start a relay on ${name}: ${last(words) ?? "it did not answer in time"}`,
    );
  }
  const [, address, port] = place;
  const target = `${address.includes(":") ? `[${address}]` : address}:${port}`;
  try {
    const way = await machine.reach!(target);
    status.then(() => way.close()).catch(() => {});
    const url = `ws://127.0.0.1:${way.port}`;
    if (await isAlive(url, 10_000)) {
      return { url, jobUrl: `ws://${target}`, token: secret, lost: lost.signal };
    }
    throw new StreamError(
      "submit_failed",
      `Cannot reach the relay on ${name} through ssh: ${
        last(words) ?? "it does not answer"
      }; expected a login node that allows TCP forwarding, or transport "file"`,
    );
  } catch (error) {
    await writer.close().catch(() => {});
    throw error;
  }
}

/** Shell text that keeps the code in a private folder for as long as the relay runs. */
function relayText(
  mark: string,
  how: { bytes: number; maxHeap: number; runtime?: string },
): string {
  const heap = `--max-old-space-size=${how.maxHeap}`;
  const deno =
    `env DENO_DIR="$sr_dir/deno" DENO_NO_UPDATE_CHECK=1 "$sr_run" run -A --quiet --no-config --no-lock --v8-flags=${heap}`;
  return `sr_main() {
echo ${mark} start; echo ${mark} start >&2
local sr_run= sr_one
sr_dir=$(umask 077 && mktemp -d "\${TMPDIR:-/tmp}/streamrelay.XXXXXXXX") || exit 1
trap 'rm -rf "$sr_dir"' EXIT
head -c ${how.bytes} >"$sr_dir/relay.js"
for sr_one in ${how.runtime === undefined ? "deno node" : shellQuote(how.runtime)}; do
command -v -- "$sr_one" >/dev/null || continue
case \${sr_one##*/} in node*) "$sr_one" -e 'process.exit(parseInt(process.versions.node) < 22 ? 1 : 0)' </dev/null || continue ;; esac
sr_run=$sr_one; break
done
case \${sr_run##*/} in
'') echo ${mark} missing; exit 127 ;;
node*) "$sr_run" ${heap} "$sr_dir/relay.js" ;;
*) ${deno} "$sr_dir/relay.js" ;;
esac
exit
}
sr_main
`;
}

/** One file of the relay with all that it needs. */
async function makeBundle(): Promise<Uint8Array> {
  if (Deno.build.standalone) {
    throw new StreamError(
      "unsupported",
      'Cannot start a relay over ssh from a compiled program: expected relay.url, or transport "file"',
    );
  }
  // what is published needs no configuration, and must not find somebody else's
  const [entry, ...how] = ENTRY.protocol === "file:"
    ? [fileURLToPath(ENTRY)]
    : [ENTRY.href, "--no-config"];
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--platform=deno", "--minify", ...how, entry],
    cwd: ENTRY.protocol === "file:" ? fileURLToPath(new URL("..", ENTRY)) : "/",
    env: { NO_COLOR: "1" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  if (success && stdout.length > 0) return stdout;
  throw new StreamError(
    "unsupported",
    `Cannot make one file of the relay: deno bundle said ${
      new TextDecoder().decode(stderr).trim().split("\n")[0] || "nothing"
    }`,
  );
}

function nothingToRunIt(name: string, runtime?: string): StreamError {
  return new StreamError(
    "unsupported",
    `Cannot start a relay on ${name}: ${
      runtime === undefined
        ? "a login shell there finds neither deno nor node, expected deno >= 2 or node >= 22 on its PATH, or embedded.runtime"
        : `${runtime} is not there or too old, expected embedded.runtime to be deno >= 2 or node >= 22`
    }; without any, transport "file" does`,
  );
}

function last(words: string): string | undefined {
  return words.trim().split("\n").at(-1) || undefined;
}
