/** Tokens: what they allow, and which are none. @module */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { mintToken, type Role, ROLES } from "../../../server/mod.ts";
import { demand, type Grant, verifyCredential } from "../../../server/tokens.ts";
import { StreamError } from "../../../stream/mod.ts";

const SECRET = "root";

Deno.test("tokens - what went in comes out", async () => {
  const token = await mintToken(SECRET, {
    channel: "c",
    roles: ["consume", "cancel"],
    incarnation: "i",
    subject: "ann",
    expiresIn: 60,
  });
  assertEquals(await verifyCredential(SECRET, token), {
    roles: ["consume", "cancel"],
    channel: "c",
    prefix: undefined,
    incarnation: "i",
    subject: "ann",
  });
});

Deno.test("tokens - one that names no channel is not made", async () => {
  const error = await assertRejects(() => mintToken(SECRET, { roles: ["consume"] }), StreamError);
  assertEquals(error.code, "bad_request");
  await mintToken(SECRET, { roles: ["admin"] });
});

Deno.test("tokens - what is none is unauthorized, without saying more", async () => {
  const good = await mintToken(SECRET, { channel: "c", roles: ["consume"] });
  const [head, body, signature] = good.split(".");
  const none = btoa('{"alg":"none"}').replaceAll("=", "");
  const other = await mintToken("other", { channel: "c", roles: ["admin"] });
  const wrong = [
    undefined,
    "",
    "Root",
    "root ",
    `${head}.${body}.`,
    `${none}.${body}.`,
    `${none}.${body}.${signature}`,
    `${head}.${body.slice(0, -2)}.${signature}`,
    good + "x",
    other,
  ];
  for (const credential of wrong) {
    const error = await assertRejects(() => verifyCredential(SECRET, credential), StreamError);
    assertEquals(error.code, "unauthorized", credential);
  }
  const expired = await mintToken(SECRET, { channel: "c", roles: ["consume"], expiresIn: -1 });
  const { message } = await assertRejects(() => verifyCredential(SECRET, expired), StreamError);
  assertEquals(message, "The token has expired, expected a fresh one");
});

Deno.test("tokens - roles cover what the table says", () => {
  const covered = (role: Role) =>
    ROLES.filter((asked) => {
      try {
        demand({ roles: [role] }, asked, { id: "c" });
        return true;
      } catch {
        return false;
      }
    });
  assertEquals(covered("produce"), ["produce"]);
  assertEquals(covered("consume"), ["consume"]);
  assertEquals(covered("create"), ["create"]);
  assertEquals(covered("cancel"), ["cancel"]);
  assertEquals(covered("supervise"), ["consume", "supervise", "cancel"]);
  assertEquals(covered("admin"), [...ROLES]);
});

Deno.test("tokens - channel, prefix and incarnation are checked", () => {
  const code = (grant: Omit<Grant, "roles">, id: string, incarnation?: string) =>
    assertThrows(
      () => demand({ roles: ["admin"], ...grant }, "consume", { id, incarnation }),
      StreamError,
    )
      .code;
  assertEquals(code({ channel: "c" }, "d"), "forbidden");
  assertEquals(code({ prefix: "job-" }, "jobs"), "forbidden");
  assertEquals(code({ channel: "c", incarnation: "1" }, "c", "2"), "expired");
  demand({ roles: ["consume"], prefix: "job-" }, "consume", { id: "job-7", incarnation: "1" });
});
