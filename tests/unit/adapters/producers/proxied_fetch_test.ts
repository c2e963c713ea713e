/** @module */
import { assertEquals } from "@std/assert";
import { exemptions } from "../../../../adapters/producers/proxied_fetch.ts";

const CASES: [list: string, url: string, exempt: boolean][] = [
  ["", "http://relay/", false],
  ["*", "http://relay/", true],
  ["relay", "http://relay:8765/", true],
  ["relay", "http://other.relay/", true],
  ["relay", "http://otherrelay/", false],
  [".site.edu", "http://a.site.edu/", true],
  [".site.edu", "http://site.edu/", true],
  ["*.site.edu", "http://a.b.site.edu/", true],
  ["Site.EDU", "http://site.edu/", true],
  ["relay:8765", "http://relay:8765/", true],
  ["relay:8765", "http://relay:8766/", false],
  ["relay:80", "http://relay/", true],
  ["a, b ,127.0.0.1", "http://127.0.0.1:9/", true],
];

for (const [list, url, exempt] of CASES) {
  Deno.test(`no_proxy - ${JSON.stringify(list)} and ${url}`, () => {
    assertEquals(exemptions(list)(new URL(url)), exempt);
  });
}
