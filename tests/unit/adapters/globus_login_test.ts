/** Logins to Globus. @module */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { AccessTokens } from "../../../adapters/globus/access_tokens.ts";
import { COMPUTE_SCOPE } from "../../../adapters/globus/auth_service.ts";
import { loginFromEnvironment } from "../../../adapters/globus/globus_login.ts";
import { RequestPace } from "../../../adapters/globus/request_pace.ts";
import {
  GlobusComputeExecutor,
  type GlobusLogin,
  loginToGlobus,
  logoutOfGlobus,
} from "../../../adapters/mod.ts";
import { StreamError } from "../../../stream/mod.ts";
import { type GlobusFixture, globusFixture } from "../../systems/globus_fixture.ts";
import { PAGE_CODE, type StandInOptions } from "../../systems/globus_stand_in.ts";

const clientId = "7a8b9c00-0000-4000-8000-000000000000";

function test(
  name: string,
  body: (fixture: GlobusFixture, tokens: (login: GlobusLogin) => AccessTokens) => Promise<void>,
  options?: StandInOptions,
): void {
  Deno.test(`globus login - ${name}`, async () => {
    await using fixture = await globusFixture(options);
    const auth = { url: fixture.service.url, scope: COMPUTE_SCOPE, timeout: 5_000 };
    await body(fixture, (login) => new AccessTokens(login, auth));
  });
}

test(
  "a service account asks once, however many want a token",
  async ({ service, count }, tokens) => {
    const own = tokens(service.client);
    const all = await Promise.all([own.get(), own.get(), own.get()]);
    assertEquals(new Set(all).size, 1);
    assertEquals(count(/token$/), 1);
  },
);

test("a token near its end is not used", async ({ service, count }, tokens) => {
  const own = tokens(service.client);
  const first = await own.get();
  const [second, third] = await Promise.all([own.get(), own.get()]);
  assert(first !== second);
  assertEquals(second, third);
  assert(count(/token$/) >= 2);
}, { expiresIn: 1 });

test(
  "a person opens a page and pastes its code, once",
  async ({ service, state, count }, tokens) => {
    const pages: string[] = [];
    const ask = (url: string) => {
      pages.push(url);
      return ` ${PAGE_CODE}\n`;
    };
    const token = await tokens({ clientId, ask }).get();
    const page = new URL(pages[0]);
    assertEquals(page.pathname, "/v2/oauth2/authorize");
    assertEquals(page.searchParams.get("client_id"), clientId);
    assertEquals(page.searchParams.get("code_challenge_method"), "S256");
    assertEquals(page.searchParams.get("access_type"), "offline");
    const form = new URLSearchParams(service.requests.at(-1)!.body);
    const hash = await crypto.subtle.digest(
      "SHA-256",
      new TextEncoder().encode(form.get("code_verifier")!),
    );
    const challenge = btoa(String.fromCharCode(...new Uint8Array(hash)));
    assertEquals(
      page.searchParams.get("code_challenge"),
      challenge.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, ""),
    );
    // the next process finds it, and nobody else can read it
    assertEquals(await tokens({ clientId }).get(), token);
    assertEquals(pages.length, 1);
    assertEquals(count(/token$/), 1);
    const [file] = [...Deno.readDirSync(`${state}/globus`)];
    assertEquals(Deno.statSync(`${state}/globus/${file.name}`).mode! & 0o777, 0o600);
  },
);

test("a person's token is renewed without them", async ({ count }, tokens) => {
  let asked = 0;
  const login = { clientId, ask: () => (asked++, PAGE_CODE) };
  const first = await tokens(login).get();
  const second = await tokens({ clientId }).get();
  assert(first !== second);
  assertEquals(asked, 1);
  assert(count(/token$/) >= 2);
}, { expiresIn: 1 });

test(
  "without a login that is kept, or one that is forgotten, it is said how to get one",
  async ({ service }, tokens) => {
    const none = () =>
      assertRejects(() => tokens({ clientId }).get(), StreamError, "loginToGlobus()");
    await none();
    await loginToGlobus({ clientId, ask: () => PAGE_CODE, authUrl: service.url });
    await tokens({ clientId }).get();
    assertEquals(await logoutOfGlobus({ clientId, authUrl: service.url }), true);
    assertEquals((await none()).code, "unauthorized");
    assertEquals(await logoutOfGlobus({ clientId, authUrl: service.url }), false);
  },
);

test("logging out makes the tokens worthless at Globus", async ({ service }, tokens) => {
  await loginToGlobus({ clientId, ask: () => PAGE_CODE, authUrl: service.url });
  const held = tokens({ clientId });
  const token = await held.get();
  await logoutOfGlobus({ clientId, authUrl: service.url });
  const error = await assertRejects(() => held.renewed(token), StreamError);
  assertEquals(error.code, "unauthorized");
  const asked = await fetch(`${service.url}/v2/batch_status`, {
    method: "POST",
    body: "{}",
    headers: { authorization: `Bearer ${token}` },
  });
  await asked.body?.cancel();
  assertEquals(asked.status, 401);
});

test("without Globus a login is forgotten all the same, and that is said", async (
  { service },
  tokens,
) => {
  await loginToGlobus({ clientId, ask: () => PAGE_CODE, authUrl: service.url });
  const error = await assertRejects(
    () => logoutOfGlobus({ clientId, authUrl: service.url }),
    StreamError,
    "The login is forgotten here, but Globus may honour its tokens until they end: ",
  );
  assertEquals(error.code, "upstream");
  await assertRejects(() => tokens({ clientId }).get(), StreamError, "no login");
}, {
  answer: ({ what }) => what.endsWith("/revoke") ? new Response("", { status: 502 }) : undefined,
});

test("a code that is not good is refused, and nothing kept", async ({ service }, tokens) => {
  const login = (code: string) =>
    assertRejects(
      () => loginToGlobus({ clientId, ask: () => code, authUrl: service.url }),
      StreamError,
    );
  assertEquals((await login("wrong")).code, "unauthorized");
  assertEquals((await login("  ")).message, "Cannot log in to Globus: no code was given");
  await assertRejects(() => tokens({ clientId }).get(), StreamError, "no login");
});

test("an answer without a token is not quoted", async (_, tokens) => {
  const error = await assertRejects(
    () => tokens({ clientId, clientSecret: "s" }).get(),
    StreamError,
  );
  assertEquals(error.code, "upstream");
  assert(!JSON.stringify(error.toJSON()).includes("hush"));
}, { answer: () => Response.json({ id_token: "hush" }) });

Deno.test("globus login - the environment is read as the SDK does", () => {
  const from = (env: Record<string, string>) => loginFromEnvironment((name) => env[name]);
  const id = { GLOBUS_COMPUTE_CLIENT_ID: "i" };
  const secret = { GLOBUS_COMPUTE_CLIENT_SECRET: "s" };
  assertEquals(from({ ...id, ...secret }), { clientId: "i", clientSecret: "s" });
  assertEquals(from(id), { clientId: "i" });
  assertEquals(from({ ...id, STREAMRELAY_GLOBUS_TOKEN: "t" }), { token: "t" });
  assertThrows(() => from(secret), StreamError, "expected both");
  assertThrows(() => from({}), StreamError, "STREAMRELAY_GLOBUS_TOKEN");
});

Deno.test("globus login - no token is sent in the clear over a network", () => {
  for (const url of ["http://compute.example.com", "ftp://x", "nonsense"]) {
    assertThrows(() => new GlobusComputeExecutor({ serviceUrl: url }), StreamError, "https://");
  }
});

Deno.test("globus options - what can't be is named", async () => {
  const login = { token: "t" };
  for (
    const config of [
      { endpoint: "my-endpoint" },
      { endpoint: clientId, functionUuid: "mine" },
      { endpoint: clientId, time: "soon" },
    ]
  ) {
    assertThrows(
      () => new GlobusComputeExecutor({ login, ...config }),
      StreamError,
      Object.keys(config).at(-1),
    );
  }
  const error = await assertRejects(
    () => new GlobusComputeExecutor({ login }).stream({ text: "echo never" }).text(),
    StreamError,
    "endpoint",
  );
  assertEquals(error.code, "bad_request");
});

Deno.test("globus pace - requests beyond the limit wait their turn", async () => {
  const pace = new RequestPace(3, 1_000);
  const passed: number[] = [];
  const turns = [1, 2, 3, 4, 5].map(async (turn) => {
    await pace.turn();
    passed.push(turn);
  });
  await turns[2];
  assertEquals(passed, [1, 2, 3]);
  await Promise.all(turns);
  assertEquals(passed, [1, 2, 3, 4, 5]);
});
