/**
 * The tables of the sqlite store, and how an older file comes to them.
 *
 * What changes seldom about a channel is one JSON text a row; what changes with every append (the tail)
 * is a small row of its own, so that a commit for fifty channels writes few pages besides their frames.
 *
 * @module
 */

/** Marks the file as ours: `SRLY`, in the header of the database. */
export const APPLICATION_ID = 0x53524c59;

/** The version that this code reads and writes. */
export const SCHEMA_VERSION = 2;

const TABLES = `
CREATE TABLE channels (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  state TEXT NOT NULL
);
CREATE TABLE tails (
  channel INTEGER PRIMARY KEY,
  first INTEGER NOT NULL,
  next INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  claimed INTEGER NOT NULL,
  stream_seq TEXT
);
CREATE TABLE frames (
  channel INTEGER NOT NULL,
  first INTEGER NOT NULL,
  n INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  epoch INTEGER,
  seq INTEGER,
  size INTEGER NOT NULL,
  text TEXT NOT NULL,
  PRIMARY KEY (channel, first)
) WITHOUT ROWID;
CREATE TABLE inputs (
  channel INTEGER PRIMARY KEY,
  content BLOB NOT NULL
);
CREATE TABLE garbage (
  channel INTEGER PRIMARY KEY,
  before INTEGER NOT NULL
);
CREATE TABLE facts (
  name TEXT PRIMARY KEY,
  value INTEGER NOT NULL
);
`;

/** What leads from a version to the next one. */
const MIGRATIONS: Record<number, string> = {
  1: "ALTER TABLE tails ADD COLUMN stream_seq TEXT;",
};

/**
 * The statements that bring a file to {@linkcode SCHEMA_VERSION}.
 *
 * @param version The file's version; 0 for an empty one.
 * @returns SQL, or `undefined` where no way leads from that version.
 */
export function schemaSteps(version: number): string | undefined {
  const mark = `PRAGMA application_id=${APPLICATION_ID};PRAGMA user_version=${SCHEMA_VERSION};`;
  if (version === 0) return TABLES + mark;
  let steps = "";
  for (let from = version; from < SCHEMA_VERSION; from++) {
    if (MIGRATIONS[from] === undefined) return undefined;
    steps += MIGRATIONS[from];
  }
  return version > SCHEMA_VERSION ? undefined : steps && steps + mark;
}
