/** The committed bundle. @module */
import { assert, assertEquals } from "@std/assert";
import { BUNDLE, bundleProducer } from "../../../tools/bundle_producer.ts";

Deno.test("bundle - the committed file is what its sources give", async () => {
  const fresh = await bundleProducer();
  assert(await Deno.readTextFile(BUNDLE) === fresh, "run: deno task bundle");
});

Deno.test("bundle - it needs no package and no URL", async () => {
  const text = await Deno.readTextFile(BUNDLE);
  const imports = [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, name]) => name);
  assert(imports.length > 0);
  assertEquals(imports.filter((name) => !name.startsWith("node:")), []);
});
