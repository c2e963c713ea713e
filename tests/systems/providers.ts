/**
 * Every system that a suite can ask for. A new one is a file with one provider, and a line
 * here.
 *
 * @module
 */
import { provideGlobus } from "./globus.ts";
import { provideNetns } from "./netns.ts";
import { provideMounts } from "./mounts.ts";
import { provideNode22 } from "./node22.ts";
import { providePbs } from "./pbs.ts";
import { provideProxy } from "./proxy.ts";
import { providePython } from "./python.ts";
import { provideSlurm } from "./slurm.ts";
import { provideSlurmdbd } from "./slurmdbd.ts";
import { provideSsh } from "./sshd.ts";

/** Providers by the name that `needs` and `REQUIRE` use. */
export const providers = {
  slurm: provideSlurm,
  slurmdbd: provideSlurmdbd,
  ssh: provideSsh,
  pbs: providePbs,
  python: providePython,
  node22: provideNode22,
  globus: provideGlobus,
  mounts: provideMounts,
  proxy: provideProxy,
  netns: provideNetns,
} as const;

/** The name of a system. */
export type SystemName = keyof typeof providers;
