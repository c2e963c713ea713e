/**
 * Writes `docs/codes.md` from the table of codes: `deno run -A tests/tools/generate_codes.ts`.
 *
 * @module
 */
import { type CodeRow, CODES } from "../../stream/error_code.ts";
import { formatted } from "./formatted.ts";

/** The file, from the project's root. */
export const CODES_PATH = "docs/codes.md";

const HEAD = `# Codes

What an error is called, which close code and HTTP status carry it, which exit code the command line
ends with, and whether the same request may succeed later. Close codes from 4100 to 4499 mean: come
back; from 4500 on: don't. Besides, every command exits with 0 when all went well, 2 when it was typed
wrongly and 141 when its reader has gone; \`produce -- PROGRAM\` exits with the program's own code.

Generated from \`stream/error_code.ts\` by \`tests/tools/generate_codes.ts\`.

| code | meaning | close | v1 | HTTP | exit | retry |
| --- | --- | --- | --- | --- | --- | --- |
`;

/**
 * The document.
 *
 * @returns Its text.
 */
export async function renderCodes(): Promise<string> {
  const rows = Object.entries<CodeRow>(CODES).map(([code, row]) =>
    [
      `\`${code}\``,
      row.meaning,
      row.close ?? "",
      row.closeV1 ?? "",
      row.http,
      row.exit,
      row.retry ? "yes" : "no",
    ].join(" | ")
  );
  return await formatted(HEAD + rows.map((row) => `| ${row} |\n`).join(""));
}

if (import.meta.main) {
  const path = new URL(`../../${CODES_PATH}`, import.meta.url);
  await Deno.writeTextFile(path, await renderCodes());
}
