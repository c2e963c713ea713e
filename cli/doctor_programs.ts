/** @module */
import { localPrograms, type ProgramRunner } from "../adapters/program_runner.ts";
import { programRunner } from "../adapters/ssh/ssh_programs.ts";
import type { Via } from "../adapters/ssh/ssh_options.ts";
import { StreamError } from "../stream/mod.ts";

/**
 * What runs programs where a job's output file can be read.
 *
 * @param chosen The executor.
 * @returns Programs of the login node, of the host, or of this machine.
 * @throws {StreamError} `unsupported` for an executor that leaves no such file.
 */
export function programsOf(
  { kind, config }: { kind: string; config: object },
): ProgramRunner {
  const { via, host, sshConfig, ...options } = config as {
    via?: Via;
    host?: string;
    sshConfig?: string;
  };
  if (kind === "slurm" || kind === "pbs") return programRunner(via);
  if (kind === "local") return localPrograms;
  if (kind === "ssh" && host !== undefined) {
    const { program, interactive, persist, connectTimeout } = options as Partial<Via>;
    return programRunner({
      ssh: host,
      config: sshConfig,
      program,
      interactive,
      persist,
      connectTimeout,
    });
  }
  throw new StreamError(
    "unsupported",
    `Cannot examine nodes of ${kind}: expected slurm, pbs or ssh`,
  );
}
