import { DatabaseSync } from 'node:sqlite';

export interface BucketRow {
  name: string;
  project: string;
  metageneration: number;
  /** Milliseconds since the epoch, as all times here. */
  created: number;
  updated: number;
  /** What may be set of it, as JSON. */
  fields: string;
}

export interface ObjectRow {
  bucket: string;
  name: string;
  /** Microseconds since the epoch, as in Cloud Storage; no two are ever the same. */
  generation: number;
  metageneration: number;
  created: number;
  updated: number;
  size: number;
  crc32c: string;
  /** null of a composite object, which has none. */
  md5Hash: string | null;
  componentCount: number | null;
  /** What may be set of it, as JSON. */
  fields: string;
}

/** A resumable upload under way, or done: then `answer` is the object resource its client may still ask for. */
export interface UploadRow {
  id: string;
  created: number;
  bucket: string;
  /** What the upload was started with, as JSON. */
  start: string;
  received: number;
  answer: string | null;
}

/** Everything that outlives the process. Synchronous; what must happen together is done inside `transact`. */
export interface Store {
  /** Runs the work in one transaction: all of its writes, or none and the error is thrown. */
  transact<Result>(work: () => Result): Result;

  readBucket(name: string): BucketRow | undefined;
  listBuckets(project: string): BucketRow[];
  writeBucket(row: BucketRow): void;
  deleteBucket(name: string): void;

  /** A generation later than every earlier one, whatever the clock does; to be called inside `transact`. */
  nextGeneration(): number;
  readObject(bucket: string, name: string): ObjectRow | undefined;
  readContent(generation: number): Buffer;
  /** Stores the object in place of the one of that name, if there is one. */
  putObject(row: ObjectRow, content: Uint8Array): void;
  /** Writes everything but the content. */
  updateObject(row: ObjectRow): void;
  deleteObject(row: ObjectRow): void;
  /** The first objects in UTF-8 order with `from` <= name < `below`. */
  listObjects(bucket: string, from: Uint8Array, below: Uint8Array | undefined, limit: number): ObjectRow[];
  counts(): Record<string, { objects: number; bytes: number }>;

  readUpload(id: string): UploadRow | undefined;
  createUpload(row: UploadRow): void;
  appendToUpload(id: string, bytes: Uint8Array): void;
  readUploaded(id: string): Buffer;
  /** Keeps the answer and forgets the bytes. */
  finishUpload(id: string, answer: string): void;
  deleteUpload(id: string): void;
  deleteUploadsOlderThan(created: number): void;

  close(): void;
}

type Row = Record<string, unknown>;

/** Opens or creates the store. The file is locked: a second process on it gets "database is locked". */
export function openStore(file: string, now: () => number): Store {
  const db = new DatabaseSync(file);
  // WAL with synchronous NORMAL: a committed transaction survives the death of the process, kill -9 included.
  // An object's name is stored as its UTF-8 bytes, whose order is the one Cloud Storage lists in.
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE IF NOT EXISTS buckets (
      name TEXT PRIMARY KEY, project TEXT NOT NULL, metageneration INTEGER NOT NULL,
      created INTEGER NOT NULL, updated INTEGER NOT NULL, fields TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS objects (
      bucket TEXT NOT NULL, name BLOB NOT NULL, generation INTEGER NOT NULL, metageneration INTEGER NOT NULL,
      created INTEGER NOT NULL, updated INTEGER NOT NULL, size INTEGER NOT NULL, crc32c TEXT NOT NULL,
      md5_hash TEXT, component_count INTEGER, fields TEXT NOT NULL,
      PRIMARY KEY (bucket, name)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS contents (generation INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS uploads (
      id TEXT PRIMARY KEY, created INTEGER NOT NULL, bucket TEXT NOT NULL, start TEXT NOT NULL,
      received INTEGER NOT NULL, answer TEXT) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS uploads_by_age ON uploads (created);
    CREATE TABLE IF NOT EXISTS upload_parts (
      upload TEXT NOT NULL, first_byte INTEGER NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (upload, first_byte));
    CREATE TABLE IF NOT EXISTS counter (last_generation INTEGER NOT NULL);
    INSERT INTO counter SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM counter);
  `);

  const selectBucket = db.prepare('SELECT * FROM buckets WHERE name = ?');
  const selectObject = db.prepare('SELECT * FROM objects WHERE bucket = ? AND name = ?');
  const selectRange = db.prepare(
    'SELECT * FROM objects WHERE bucket = ? AND name >= ? AND name < ? ORDER BY name LIMIT ?',
  );
  const selectFrom = db.prepare('SELECT * FROM objects WHERE bucket = ? AND name >= ? ORDER BY name LIMIT ?');
  const selectContent = db.prepare('SELECT bytes FROM contents WHERE generation = ?');
  const insertContent = db.prepare('INSERT INTO contents (generation, bytes) VALUES (?, ?)');
  const deleteContent = db.prepare('DELETE FROM contents WHERE generation = ?');
  const writeObject = db.prepare('INSERT OR REPLACE INTO objects VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)');
  const readCounter = db.prepare('SELECT last_generation FROM counter');
  const writeCounter = db.prepare('UPDATE counter SET last_generation = ?');
  const selectUpload = db.prepare('SELECT * FROM uploads WHERE id = ?');

  function readObject(bucket: string, name: string): ObjectRow | undefined {
    const row = selectObject.get(bucket, Buffer.from(name));
    return row === undefined ? undefined : toObjectRow(row);
  }

  function updateObject(row: ObjectRow): void {
    writeObject.run(
      row.bucket,
      Buffer.from(row.name),
      row.generation,
      row.metageneration,
      row.created,
      row.updated,
      row.size,
      row.crc32c,
      row.md5Hash,
      row.componentCount,
      row.fields,
    );
  }

  return {
    transact(work) {
      db.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        db.exec('COMMIT');
        return result;
      } catch (error) {
        if (db.isTransaction) db.exec('ROLLBACK');
        throw error;
      }
    },

    readBucket(name) {
      const row = selectBucket.get(name);
      return row === undefined ? undefined : toBucketRow(row);
    },
    listBuckets: (project) =>
      db.prepare('SELECT * FROM buckets WHERE project = ? ORDER BY name').all(project).map(toBucketRow),
    writeBucket(row) {
      db.prepare('INSERT OR REPLACE INTO buckets VALUES (?, ?, ?, ?, ?, ?)').run(
        row.name,
        row.project,
        row.metageneration,
        row.created,
        row.updated,
        row.fields,
      );
    },
    deleteBucket(name) {
      db.prepare('DELETE FROM buckets WHERE name = ?').run(name);
      const theirs = 'IN (SELECT id FROM uploads WHERE bucket = ?)';
      db.prepare(`DELETE FROM upload_parts WHERE upload ${theirs}`).run(name);
      db.prepare('DELETE FROM uploads WHERE bucket = ?').run(name);
    },

    nextGeneration() {
      const last = Number(readCounter.get()?.last_generation);
      const generation = Math.max(last + 1, now() * 1000);
      writeCounter.run(generation);
      return generation;
    },
    readObject,
    readContent: (generation) => toBuffer(selectContent.get(generation)?.bytes),
    putObject(row, content) {
      const replaced = readObject(row.bucket, row.name);
      if (replaced !== undefined) deleteContent.run(replaced.generation);
      insertContent.run(row.generation, content);
      updateObject(row);
    },
    updateObject,
    deleteObject(row) {
      deleteContent.run(row.generation);
      db.prepare('DELETE FROM objects WHERE bucket = ? AND name = ?').run(row.bucket, Buffer.from(row.name));
    },
    listObjects(bucket, from, below, limit) {
      const rows =
        below === undefined
          ? selectFrom.all(bucket, from, limit)
          : selectRange.all(bucket, from, below, limit);
      return rows.map(toObjectRow);
    },
    counts() {
      const rows = db
        .prepare(
          `SELECT b.name, count(o.name) AS objects, coalesce(sum(o.size), 0) AS bytes
           FROM buckets b LEFT JOIN objects o ON o.bucket = b.name GROUP BY b.name`,
        )
        .all();
      return Object.fromEntries(
        rows.map((row) => [String(row.name), { objects: Number(row.objects), bytes: Number(row.bytes) }]),
      );
    },

    readUpload(id) {
      const row = selectUpload.get(id);
      return row === undefined ? undefined : toUploadRow(row);
    },
    createUpload(row) {
      db.prepare('INSERT INTO uploads VALUES (?, ?, ?, ?, ?, ?)').run(
        row.id,
        row.created,
        row.bucket,
        row.start,
        row.received,
        row.answer,
      );
    },
    appendToUpload(id, bytes) {
      const received = Number(selectUpload.get(id)?.received);
      db.prepare('INSERT INTO upload_parts VALUES (?, ?, ?)').run(id, received, bytes);
      db.prepare('UPDATE uploads SET received = ? WHERE id = ?').run(received + bytes.length, id);
    },
    readUploaded: (id) =>
      Buffer.concat(
        db
          .prepare('SELECT bytes FROM upload_parts WHERE upload = ? ORDER BY first_byte')
          .all(id)
          .map((row) => toBuffer(row.bytes)),
      ),
    finishUpload(id, answer) {
      db.prepare('DELETE FROM upload_parts WHERE upload = ?').run(id);
      db.prepare('UPDATE uploads SET answer = ? WHERE id = ?').run(answer, id);
    },
    deleteUpload(id) {
      db.prepare('DELETE FROM upload_parts WHERE upload = ?').run(id);
      db.prepare('DELETE FROM uploads WHERE id = ?').run(id);
    },
    deleteUploadsOlderThan(created) {
      db.prepare('DELETE FROM upload_parts WHERE upload IN (SELECT id FROM uploads WHERE created < ?)').run(
        created,
      );
      db.prepare('DELETE FROM uploads WHERE created < ?').run(created);
    },

    close: () => db.close(),
  };
}

const toBucketRow = (row: Row): BucketRow => ({
  name: String(row.name),
  project: String(row.project),
  metageneration: Number(row.metageneration),
  created: Number(row.created),
  updated: Number(row.updated),
  fields: String(row.fields),
});

const toObjectRow = (row: Row): ObjectRow => ({
  bucket: String(row.bucket),
  name: toBuffer(row.name).toString(),
  generation: Number(row.generation),
  metageneration: Number(row.metageneration),
  created: Number(row.created),
  updated: Number(row.updated),
  size: Number(row.size),
  crc32c: String(row.crc32c),
  md5Hash: row.md5_hash === null ? null : String(row.md5_hash),
  componentCount: row.component_count === null ? null : Number(row.component_count),
  fields: String(row.fields),
});

const toUploadRow = (row: Row): UploadRow => ({
  id: String(row.id),
  created: Number(row.created),
  bucket: String(row.bucket),
  start: String(row.start),
  received: Number(row.received),
  answer: row.answer === null ? null : String(row.answer),
});

function toBuffer(bytes: unknown): Buffer {
  if (!(bytes instanceof Uint8Array)) throw new Error('The content of an object is missing.');
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
