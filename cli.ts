/**
 * The command `streamrelay`: `deno run -A jsr:@streamrelay/cli serve`, `… consume`, `… run slurm
 * infer.sh`. Each subcommand is a file of `cli/`.
 *
 * @module
 */
import { main } from "./cli/main.ts";

Deno.exit(await main(Deno.args));
