/**
 * A network that misbehaves at random.
 *
 * @module
 */
import { delay } from "@std/async/delay";
import type { TcpProxy } from "../tools/tcp_proxy.ts";
import type { Random } from "./random.ts";

/** What can happen to a leg; what passes by itself is over when it resolves. */
const DISTURBANCES = {
  cut: (leg: TcpProxy) => leg.cut(),
  cutWithin: (leg: TcpProxy, { between }: Random) => leg.cutAfter(between(1, 20_000)),
  reset: (leg: TcpProxy, random: Random) => leg.reset(some(random)),
  slice: (leg: TcpProxy, { between }: Random) => leg.shape({ slice: between(1, 400) }),
  delay: (leg: TcpProxy, { between }: Random) => leg.shape({ delay: between(1, 100) }),
  straighten: (leg: TcpProxy) => leg.shape({}),
  hold: async (leg: TcpProxy, { between }: Random) => {
    leg.pause();
    await delay(between(1, 1500));
    leg.resume();
  },
  refuse: async (leg: TcpProxy, { between }: Random) => {
    leg.refuse();
    await delay(between(1, 500));
    leg.accept();
  },
  swallow: (leg: TcpProxy, random: Random) => leg.swallow(some(random)),
  forgetNear: (leg: TcpProxy, random: Random) => leg.forget("near", some(random)),
  forgetFar: (leg: TcpProxy, random: Random) => leg.forget("far", some(random)),
};

/** A name of what can happen to a leg. */
export type Disturbance = keyof typeof DISTURBANCES;

/** How often each happened. */
export type Disturbances = Partial<Record<Disturbance, number>>;

/** Everything that can happen to a leg; `FAULTS_ONLY` names fewer, with commas. */
const ALL: Disturbance[] =
  (Deno.env.get("FAULTS_ONLY")?.split(",") ?? Object.keys(DISTURBANCES)) as Disturbance[];

/** A few of the connections: enough to be noticed, few enough for the others to go on. */
function some({ next }: Random): () => boolean {
  return () => next() < 0.2;
}

/**
 * Lets something happen to one of the legs every now and then.
 *
 * @param legs The legs.
 * @param random Chance.
 * @param over Resolves when it is enough.
 * @returns How often each happened.
 */
export async function disturb(
  legs: TcpProxy[],
  random: Random,
  over: Promise<unknown>,
): Promise<Disturbances> {
  const counts: Disturbances = {};
  const enough = over.then(() => true, () => true);
  const each = async (leg: TcpProxy) => {
    while (!await Promise.race([enough, delay(random.between(40, 400)).then(() => false)])) {
      const what = ALL[random.between(0, ALL.length - 1)];
      counts[what] = (counts[what] ?? 0) + 1;
      await DISTURBANCES[what](leg, random);
    }
  };
  await Promise.all(legs.map(each));
  return counts;
}
