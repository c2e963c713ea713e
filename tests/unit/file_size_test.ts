/** Files stay small: a median of 180 lines, and a reason at the head of a long one. @module */
import { assertEquals, assertLessOrEqual } from "@std/assert";
import { sourceFiles } from "../tools/source_files.ts";

const LONGEST = 350;
const MEDIAN = 180;

const FOLDERS = [
  "stream",
  "client",
  "server",
  "adapters",
  "cli",
  "std",
  "tests",
  "bench",
  "examples",
];
const files = (await Promise.all([
  ...["", ...FOLDERS].map((folder) => sourceFiles(folder)),
  ...["sh", "py"].flatMap((kind) => FOLDERS.map((folder) => sourceFiles(folder, `.${kind}`))),
])).flat();
const sources = await Promise.all(files.map(async (file) => {
  const text = await Deno.readTextFile(file);
  return { file, text, lines: text.split("\n").length - 1 };
}));

Deno.test(`file size - over ${LONGEST} lines only with a reason, after "Length:"`, () => {
  const wrong = sources.filter(({ text, lines }) =>
    lines > LONGEST && !header(text).includes("Length:")
  );
  assertEquals(wrong.map(({ file, lines }) => `${file}: ${lines}`), []);
});

Deno.test(`file size - the median is at most ${MEDIAN} lines`, () => {
  // The stand-ins are tiny, and not what this is about.
  const sizes = sources.filter(({ file }) => !file.startsWith("std/"))
    .map(({ lines }) => lines).sort((a, b) => a - b);
  assertLessOrEqual(sizes[sizes.length >> 1] ?? 0, MEDIAN);
});

/** The comments at the head of a file. */
function header(text: string): string {
  return text.match(/^(?:\/\*\*[^]*?\*\/|(?:#[^\n]*\n|\n|"""[^]*?""")+)/)?.[0] ?? "";
}
