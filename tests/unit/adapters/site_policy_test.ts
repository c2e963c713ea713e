/** What a site's policy allows, and what is made of one that can't be used. @module */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { type JobFiles, localFiles } from "../../../adapters/job/job_files.ts";
import {
  parseSitePolicy,
  patientTimings,
  permitEncryption,
  permitRelay,
  POLICY_FILE,
  readSitePolicies,
} from "../../../adapters/site_policy.ts";
import { DEFAULT_TIMINGS } from "../../../adapters/timings.ts";
import { StreamError } from "../../../stream/mod.ts";

function refusal(act: () => unknown): string {
  const error = assertThrows(act, StreamError);
  assertEquals(error.code, "policy");
  return error.message;
}

Deno.test("site policy - a file that isn't one is told with its name and the field", () => {
  for (
    const [text, field] of [
      ["{", "JSON"],
      ["[]", "object"],
      ['{"maxJobs": -1}', "maxJobs: "],
      ['{"requireEncryption": "yes"}', "requireEncryption: "],
      ['{"allowedRelays": "wss://a"}', "allowedRelays: "],
      ['{"allowedRelays": ["wss://a", "relay.example"]}', "allowedRelays.1: "],
      ['{"allowedRelays": ["wss://a:b"]}', "allowedRelays.0: "],
      ['{"allowedRelays": ["wss://relay:port"]}', "allowedRelays.0: "],
      ['{"allowedRelays": ["wss://(.*)"]}', "allowedRelays.0: "],
      ['{"allowedRelays": ["ws://10.*:*"]}', "allowedRelays.0: "],
      ['{"maxJobz": 1}', "maxJobz"],
    ]
  ) {
    const message = refusal(() => parseSitePolicy(text, "/etc/p.json"));
    assert(message.startsWith("Cannot submit jobs under the site's policy /etc/p.json: "), message);
    assert(message.includes(field) && !message.includes("\n"), message);
  }
});

Deno.test("site policy - relays by their URLs, whichever scheme names them", () => {
  const allowed = (pattern: string, url: string, jobUrl?: string) => {
    try {
      permitRelay([{ file: "p", allowedRelays: [pattern] }], { url, jobUrl });
      return true;
    } catch {
      return false;
    }
  };
  assert(allowed("wss://relay.example.edu", "wss://relay.example.edu"));
  assert(allowed("wss://relay.example.edu", "https://RELAY.example.edu:443/base"));
  assert(allowed("https://relay.example.edu", "wss://relay.example.edu"));
  assert(!allowed("wss://relay.example.edu", "ws://relay.example.edu"));
  assert(!allowed("wss://relay.example.edu", "wss://relay.example.edu:8443"));
  assert(allowed("wss://relay.example.edu:*", "wss://relay.example.edu:8443"));
  assert(allowed("wss://*.example.edu", "wss://a.b.example.edu"));
  assert(allowed("ws://[fd00::1]:*", "ws://[fd00::1]:8765"));
  assert(!allowed("ws://[fd00::1]:*", "ws://[fd00::2]:8765"));
  assert(allowed("ws://10.1.2.3:8765", "ws://10.1.2.3:8765/"));
  assert(allowed("ws://*:8765", "ws://10.1.2.3:8765/"));
  assert(allowed("wss://a.example/relay/*", "wss://a.example/relay/one"));
  assert(!allowed("wss://a.example/relay/*", "wss://a.example/other"));
  for (
    const trick of [
      "wss://example.edu.evil.org",
      "wss://evil.org/.example.edu",
      "wss://evil.org#.example.edu",
      "wss://evil.org?.example.edu",
      "wss://relay.example.edu@evil.org",
      "wss://relay.example.edu,wss://evil.org",
      "relay.example.edu",
      "",
    ]
  ) {
    assertEquals(allowed("wss://*.example.edu", trick), trick === "", trick);
  }
  // the job's way counts, too
  assert(!allowed("wss://*.example.edu", "wss://a.example.edu", "wss://evil.org"));
  assert(!allowed("embedded", "ws://127.0.0.1:8765"));
});

Deno.test("site policy - a relay of one's own has to be named", () => {
  permitRelay([], "embedded");
  permitRelay([{ file: "p" }], "embedded");
  permitRelay([{ file: "p", allowedRelays: ["wss://a", "embedded"] }], "embedded");
  const { allowedRelays } = parseSitePolicy('{"allowedRelays": ["via"]}', "p");
  permitRelay([{ file: "p", allowedRelays }], "via");
  refusal(() => permitRelay([{ file: "p", allowedRelays }], "embedded"));
  refusal(() => permitRelay([{ file: "p", allowedRelays: ["embedded", "ws://*:*"] }], "via"));
  assertEquals(
    refusal(() => permitRelay([{ file: "/etc/p.json", allowedRelays: ["wss://a"] }], "embedded")),
    "Cannot use relay embedded: the site's policy /etc/p.json has allowedRelays = wss://a",
  );
  assert(
    refusal(() => permitRelay([{ file: "p", allowedRelays: [] }], { url: "wss://a" }))
      .endsWith("allowedRelays = none"),
  );
});

Deno.test("site policy - every one of several binds", () => {
  const policies = [{ file: "here" }, { file: "there", requireEncryption: true, maxJobs: 1 }];
  permitEncryption(policies, "v2");
  permitEncryption(policies, "v1");
  const strict = [parseSitePolicy('{"requireEncryption": "v2"}', "p")];
  permitEncryption(strict, "v2");
  assertEquals(
    refusal(() => permitEncryption(strict, "v1")),
    `Cannot stream with encryption "v1": the site's policy p has requireEncryption = v2`,
  );
  refusal(() => permitEncryption(strict, "off"));
  assert(refusal(() => permitEncryption(policies, "off")).includes("policy there "));
});

Deno.test("site policy - intervals are raised, and never shortened", () => {
  const policies = [{ file: "a", minPollInterval: 60 }, { file: "b", minPollInterval: 45 }];
  const { pollEvery, pollAtMost, fateEvery } = patientTimings(policies, {
    pollEvery: 1,
    pollAtMost: 2,
  });
  assertEquals([pollEvery, pollAtMost, fateEvery], [60_000, 60_000, 60_000]);
  assertEquals(patientTimings(policies, { pollEvery: 90_000 }).pollEvery, 90_000);
  assertEquals(patientTimings([], { pollEvery: 1 }), { ...DEFAULT_TIMINGS, pollEvery: 1 });
  // what a file that can't be read would have said, nobody knows
  assertEquals(patientTimings(undefined, { pollEvery: 1 }).pollEvery, DEFAULT_TIMINGS.pollEvery);
});

Deno.test("site policy - a login node's own binds, too, and one that can't be read allows nothing", async () => {
  const there = (text: JobFiles["text"]) => ({ ...localFiles, place: "login1", text });
  const found = await readSitePolicies(there(() => Promise.resolve('{"maxJobs": 3}')));
  assertEquals(found.at(-1), { file: `login1:${POLICY_FILE}`, maxJobs: 3 });
  const error = await assertRejects(
    () => readSitePolicies(there(() => Promise.reject(new Error("Permission denied")))),
    StreamError,
  );
  assertEquals(
    error.message,
    `Cannot submit jobs under the site's policy login1:${POLICY_FILE}: Permission denied, expected a file that its users can read`,
  );
});
