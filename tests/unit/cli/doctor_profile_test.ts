/** The profile that the doctor prints. @module */
import { assertEquals } from "@std/assert";
import { profileFor } from "../../../cli/doctor_profile.ts";

/** A login node whose Slurm says this. */
function login(config: string) {
  return {
    asked: [] as string[],
    run(program: string, args: readonly string[]) {
      this.asked.push([program, ...args].join(" "));
      return Promise.resolve({ code: 0, stdout: config, stderr: "" });
    },
  };
}

Deno.test("doctor's profile - the relay without its token; a file for the job's where scripts are kept", async () => {
  const programs = login("AccountingStoreFlags    = job_script\n");
  const config = {
    partition: "gpu",
    bin: "/opt/slurm/bin",
    relay: { url: "wss://relay.example.org", jobUrl: "wss://inside:8765", token: "secret" },
    env: { HF_HOME: "/scratch/hf" },
  };
  const found = { producer: { use: ["python3" as const] }, env: { https_proxy: "http://proxy:1" } };
  assertEquals(await profileFor({ kind: "slurm", config }, found, programs), {
    executor: "slurm",
    partition: "gpu",
    bin: "/opt/slurm/bin",
    relay: { url: "wss://relay.example.org", jobUrl: "wss://inside:8765" },
    credentials: "file",
    producer: { use: ["python3"] },
    env: { HF_HOME: "/scratch/hf", https_proxy: "http://proxy:1" },
  });
  assertEquals(programs.asked, ["/opt/slurm/bin/scontrol show config"]);
});

Deno.test("doctor's profile - nothing is said of what was not found out", async () => {
  const programs = login("AccountingStoreFlags    = (null)\n");
  const slurm = await profileFor({ kind: "slurm", config: { relay: "via" } }, {}, programs);
  assertEquals(slurm, { executor: "slurm", relay: "via" });
  assertEquals(await profileFor({ kind: "pbs", config: {} }, {}, programs), { executor: "pbs" });
  assertEquals(programs.asked, ["scontrol show config"]);
});
