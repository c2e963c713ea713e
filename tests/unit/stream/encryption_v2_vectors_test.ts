/** Encryption v2 against the committed vectors. @module */
import { assertEquals, assertRejects } from "@std/assert";
import { decodeHex } from "@std/encoding/hex";
import vectors from "../../vectors/encryption_v2.json" with { type: "json" };
import {
  decodeSealed,
  OpeningSession,
  openInput,
  SealingSession,
  StreamError,
  TokenStream,
} from "../../../stream/mod.ts";
import { SessionCipher } from "../../../stream/encryption_v2.ts";
import { test } from "../../tools/test.ts";

for (const { name, key, channel, epoch, salt, records } of vectors.sessions) {
  const bytes = () => new Uint8Array(decodeHex(salt));

  test(`encryption v2 vectors - ${name}: sealing gives the same records`, async () => {
    const { continues } = JSON.parse(records[0].plaintext);
    const sealing = new SealingSession({ key, channel, epoch, continues, salt: bytes() });
    const lines = [await sealing.begin()];
    for (const { plaintext, final } of records.slice(1)) {
      lines.push(
        final ? await sealing.end(plaintext.split("\n")[1]) : await sealing.seal(plaintext),
      );
    }
    assertEquals(lines, records.map(({ line }) => line));
  });

  test(`encryption v2 vectors - ${name}: every record opens`, async () => {
    const cipher = new SessionCipher({ key, channel, epoch, salt: bytes() });
    for (const { line, plaintext, seq } of records) {
      const record = decodeSealed(JSON.parse(line))!;
      if (seq === 0) record.bytes = record.bytes.slice(32);
      assertEquals(await cipher.open(record), plaintext);
    }
  });
}

for (const { name, key, channel, records, text, ends, code } of vectors.streams) {
  test(`encryption v2 vectors - stream: ${name}`, async () => {
    const opening = new OpeningSession({ key, channel });
    const open = () => opening.open(records.join("\n"));
    if (code !== undefined) {
      assertEquals((await assertRejects(open, StreamError)).code, code);
      return;
    }
    const { events } = await open();
    assertEquals(events.at(-1)?.type, ends);
    const stream = new TokenStream({
      async *read() {
        yield { events: [...events.slice(0, -1), { type: "done", reason: "completed" }] };
      },
    });
    assertEquals(await stream.text(), text);
  });
}

for (const { key, channel, text, blob } of vectors.inputs) {
  test(`encryption v2 vectors - input of ${text.length} characters`, async () => {
    const opened = await openInput(key, channel, new Uint8Array(decodeHex(blob)));
    assertEquals(new TextDecoder().decode(opened), text);
  });
}
