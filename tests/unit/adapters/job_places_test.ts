/** A site's caps, over all processes of a user. @module */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ControlClient } from "../../../client/mod.ts";
import { takePlace } from "../../../adapters/job/job_places.ts";
import { prepareChannel } from "../../../adapters/job/prepare_channel.ts";
import { serveRelay } from "../../../server/mod.ts";
import { StreamError } from "../../../stream/mod.ts";

const FILE = "/etc/streamrelay/policy.json";

async function refusal(taking: Promise<unknown>, code = "limit"): Promise<string> {
  const error = await assertRejects(() => taking, StreamError);
  assertEquals(error.code, code);
  assert(error.message.includes(`policy ${FILE}`), error.message);
  return error.message;
}

async function withFolder(act: (folder: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await act(`${dir}/places`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("job places - a cap holds for whoever counts in the same folder", async () => {
  await withFolder(async (folder) => {
    const policies = [{ file: FILE, maxJobs: 2 }, { file: "other", maxJobs: 9 }];
    const taken = await Promise.allSettled(
      Array.from({ length: 5 }, () => takePlace(policies, folder)),
    );
    const places = taken.flatMap((one) => one.status === "fulfilled" ? [one.value] : []);
    assertEquals(places.length, 2);
    assert((await refusal(takePlace(policies, folder))).includes("maxJobs = 2"));
    await places[0].leave(true);
    await takePlace(policies, folder);
    await refusal(takePlace(policies, folder));
  });
});

Deno.test("job places - those of an hour count though they are over, unless they were never submitted", async () => {
  await withFolder(async (folder) => {
    const policies = [{ file: FILE, maxJobsPerHour: 2 }];
    await (await takePlace(policies, folder)).leave(false);
    await (await takePlace(policies, folder)).leave(true);
    await (await takePlace(policies, folder)).leave(true);
    assert((await refusal(takePlace(policies, folder))).includes("maxJobsPerHour = 2"));
    for await (const { name } of Deno.readDir(folder)) {
      if (!name.endsWith(".json")) continue;
      await Deno.writeTextFile(`${folder}/${name}`, '{"taken": 1, "over": true}');
    }
    await takePlace(policies, folder);
  });
});

Deno.test("job places - a job that nobody watched is over when its relay says so, or is gone", async () => {
  await withFolder(async (folder) => {
    const secret = "a long random secret";
    const policies = [{ file: FILE, maxJobs: 1 }];
    const relay = await serveRelay({ port: 0, secret });
    const where = { url: relay.url, jobUrl: relay.url, token: secret };
    const leaveOne = async () => {
      const channel = await prepareChannel(where, { lease: 600, onDisconnect: {} });
      await (await takePlace(policies, folder)).holds(channel);
      return channel;
    };
    const first = await leaveOne();
    await refusal(takePlace(policies, folder));
    const control = new ControlClient({ url: relay.url, token: secret });
    await control.end(first.channel, { kind: "done" });
    const second = await leaveOne();
    await refusal(takePlace(policies, folder));
    await control.delete(second.channel);
    await leaveOne();
    await refusal(takePlace(policies, folder));
    await relay.close();
    await takePlace(policies, folder);
  });
});

Deno.test("job places - where nothing can be counted nothing is submitted", async () => {
  const file = await Deno.makeTempFile();
  const message = await refusal(
    takePlace([{ file: FILE, maxJobs: 1 }], `${file}/places`),
    "policy",
  );
  assert(message.endsWith("expected a home folder that can be written"), message);
  // without a cap nothing is counted
  await (await takePlace([{ file: FILE }], `${file}/places`)).leave(true);
  await Deno.remove(file);
});
