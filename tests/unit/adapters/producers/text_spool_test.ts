/** The spool between a program and a relay that is out of reach. @module */
import { assertEquals } from "@std/assert";
import { TextSpool } from "../../../../adapters/producers/text_spool.ts";

Deno.test("text spool - what memory doesn't hold comes back from the file, in order", async () => {
  const spool = new TextSpool(10);
  const texts = Array.from({ length: 50_000 }, (_, i) => `${i} é\n𝄞`);
  let taken = "";
  for (const text of texts.slice(0, 30_000)) spool.put(text);
  taken += (await spool.take())!.join("");
  taken += (await spool.take())!.join("");
  for (const text of texts.slice(30_000)) spool.put(text);
  spool.end();
  for (let more; (more = await spool.take()) !== undefined;) taken += more.join("");
  assertEquals(taken, texts.join(""));
});

Deno.test("text spool - take waits for what is put", async () => {
  const spool = new TextSpool();
  const taken = spool.take();
  spool.put("later");
  assertEquals(await taken, ["later"]);
  const last = spool.take();
  spool.end();
  assertEquals(await last, undefined);
});
