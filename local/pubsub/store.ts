import { DatabaseSync } from 'node:sqlite';

/**
 * What outlives the process: topics, subscriptions, message bodies (once per topic) and which subscription still has
 * which message pending. Every call is synchronous; `commit` is the only one that starts a transaction.
 */
export interface Store {
  readTopics(): { id: number; config: string }[];
  readSubscriptions(): { id: number; topic: number | null; config: string }[];
  writeTopic(config: string, id?: number): number;
  writeSubscription(config: string, topic: number | null, id?: number): number;
  /** Deletes the topic; its subscriptions stay, without a topic. */
  deleteTopic(id: number): void;
  deleteSubscription(id: number): void;
  /** Runs the writes in one transaction: all of them, or none and the error is thrown. */
  commit(work: (write: Writes) => void): void;
  readBody(message: number): Body | undefined;
  /** The next pending messages of a subscription after `after`, oldest first. */
  readPending(subscription: number, after: number, limit: number): Pending[];
  /** How many are pending, and the last of them. Counts row by row. */
  readBacklog(subscription: number): { count: number; newest: number };
  /** When the oldest pending message was published. */
  readOldest(subscription: number): number | undefined;
  /** The oldest pending messages that were published before a time. */
  readExpired(subscription: number, before: number, limit: number): number[];
  close(): void;
}

export interface Body {
  bytes: Buffer;
  /** Milliseconds since the epoch. */
  published: number;
}

export interface Pending {
  message: number;
  /** Deliveries that ended in a nack or an expired deadline. */
  failures: number;
  /** Those of them that a dead-letter policy counts. */
  counted: number;
  /** Milliseconds since the epoch before which it is not delivered again; 0 when it never failed. */
  notBefore: number;
}

export interface Writes {
  /** Stores a body for these subscriptions and returns the message's id, which is never used twice. */
  addMessage(body: Body, subscriptions: readonly number[]): number;
  /** Forgets a message for one subscription, and its body with the last of them. */
  settle(subscription: number, message: number): void;
  noteFailure(subscription: number, pending: Pending): void;
}

/** Opens or creates the store. The file is locked: a second process on it gets "database is locked". */
export function openStore(file: string): Store {
  const db = new DatabaseSync(file);
  // WAL with synchronous NORMAL: a committed transaction survives the death of the process, kill -9 included.
  db.exec(`
    PRAGMA locking_mode = EXCLUSIVE;
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
    CREATE TABLE IF NOT EXISTS topics (id INTEGER PRIMARY KEY AUTOINCREMENT, config TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS subscriptions (
      id INTEGER PRIMARY KEY AUTOINCREMENT, topic INTEGER, config TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS bodies (
      id INTEGER PRIMARY KEY, published INTEGER NOT NULL, remaining INTEGER NOT NULL, bytes BLOB NOT NULL);
    CREATE TABLE IF NOT EXISTS pending (
      subscription INTEGER NOT NULL, message INTEGER NOT NULL,
      failures INTEGER NOT NULL DEFAULT 0, counted INTEGER NOT NULL DEFAULT 0,
      not_before INTEGER NOT NULL DEFAULT 0,
      PRIMARY KEY (subscription, message)) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS counter (next INTEGER NOT NULL);
  `);
  addCounted(db);
  // Starting at the time keeps the ids of a fresh store apart from those of the one it replaces.
  db.prepare('INSERT INTO counter SELECT ? WHERE NOT EXISTS (SELECT 1 FROM counter)').run(Date.now() * 1000);

  const insertBody = db.prepare('INSERT INTO bodies (id, published, remaining, bytes) VALUES (?, ?, ?, ?)');
  const insertPending = db.prepare('INSERT INTO pending (subscription, message) VALUES (?, ?)');
  const deletePending = db.prepare('DELETE FROM pending WHERE subscription = ? AND message = ?');
  const deleteLastBody = db.prepare('DELETE FROM bodies WHERE id = ? AND remaining <= 1');
  const releaseBody = db.prepare('UPDATE bodies SET remaining = remaining - 1 WHERE id = ?');
  const updatePending = db.prepare(
    'UPDATE pending SET failures = ?, counted = ?, not_before = ? WHERE subscription = ? AND message = ?',
  );
  const updateCounter = db.prepare('UPDATE counter SET next = ?');
  const selectBody = db.prepare('SELECT bytes, published FROM bodies WHERE id = ?');
  const selectPending = db.prepare(
    'SELECT message, failures, counted, not_before FROM pending WHERE subscription = ? AND message > ? ORDER BY message LIMIT ?',
  );
  const selectOldest = db.prepare(
    'SELECT p.message, b.published FROM pending p JOIN bodies b ON b.id = p.message WHERE p.subscription = ? ORDER BY p.message LIMIT ?',
  );
  const selectCount = db.prepare(
    'SELECT count(*) AS count, max(message) AS newest FROM pending WHERE subscription = ?',
  );

  let nextMessage = Number(db.prepare('SELECT next FROM counter').get()?.next);

  const writes: Writes = {
    addMessage(body, subscriptions) {
      const id = nextMessage++;
      if (subscriptions.length === 0) return id;
      insertBody.run(id, body.published, subscriptions.length, body.bytes);
      for (const subscription of subscriptions) insertPending.run(subscription, id);
      return id;
    },
    settle(subscription, message) {
      if (deletePending.run(subscription, message).changes === 0) return;
      if (deleteLastBody.run(message).changes === 0) releaseBody.run(message);
    },
    noteFailure(subscription, pending) {
      const { failures, counted, notBefore, message } = pending;
      updatePending.run(failures, counted, Math.ceil(notBefore), subscription, message);
    },
  };

  const inTransaction = (work: () => void) => {
    const firstMessage = nextMessage;
    db.exec('BEGIN IMMEDIATE');
    try {
      work();
      if (nextMessage !== firstMessage) updateCounter.run(nextMessage);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      nextMessage = firstMessage;
      throw error;
    }
  };

  return {
    readTopics: () =>
      db
        .prepare('SELECT id, config FROM topics ORDER BY id')
        .all()
        .map((row) => ({ id: Number(row.id), config: String(row.config) })),
    readSubscriptions: () =>
      db
        .prepare('SELECT id, topic, config FROM subscriptions ORDER BY id')
        .all()
        .map((row) => ({
          id: Number(row.id),
          topic: row.topic === null ? null : Number(row.topic),
          config: String(row.config),
        })),
    writeTopic(config, id) {
      if (id === undefined) {
        return Number(db.prepare('INSERT INTO topics (config) VALUES (?)').run(config).lastInsertRowid);
      }
      db.prepare('UPDATE topics SET config = ? WHERE id = ?').run(config, id);
      return id;
    },
    writeSubscription(config, topic, id) {
      if (id === undefined) {
        const insert = db.prepare('INSERT INTO subscriptions (topic, config) VALUES (?, ?)');
        return Number(insert.run(topic, config).lastInsertRowid);
      }
      db.prepare('UPDATE subscriptions SET topic = ?, config = ? WHERE id = ?').run(topic, config, id);
      return id;
    },
    deleteTopic(id) {
      inTransaction(() => {
        db.prepare('UPDATE subscriptions SET topic = NULL WHERE topic = ?').run(id);
        db.prepare('DELETE FROM topics WHERE id = ?').run(id);
      });
    },
    deleteSubscription(id) {
      inTransaction(() => {
        const theirs = 'IN (SELECT message FROM pending WHERE subscription = ?)';
        db.prepare(`DELETE FROM bodies WHERE remaining <= 1 AND id ${theirs}`).run(id);
        db.prepare(`UPDATE bodies SET remaining = remaining - 1 WHERE id ${theirs}`).run(id);
        db.prepare('DELETE FROM pending WHERE subscription = ?').run(id);
        db.prepare('DELETE FROM subscriptions WHERE id = ?').run(id);
      });
    },
    commit: (work) => inTransaction(() => work(writes)),
    readBody(message) {
      const row = selectBody.get(message);
      const bytes = row?.bytes;
      if (row === undefined || !(bytes instanceof Uint8Array)) return undefined;
      return {
        bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
        published: Number(row.published),
      };
    },
    readPending: (subscription, after, limit) =>
      selectPending.all(subscription, after, limit).map((row) => ({
        message: Number(row.message),
        failures: Number(row.failures),
        counted: Number(row.counted),
        notBefore: Number(row.not_before),
      })),
    readBacklog(subscription) {
      const row = selectCount.get(subscription);
      return { count: Number(row?.count ?? 0), newest: Number(row?.newest ?? 0) };
    },
    readOldest(subscription) {
      const oldest = selectOldest.get(subscription, 1);
      return oldest === undefined ? undefined : Number(oldest.published);
    },
    readExpired(subscription, before, limit) {
      const expired: number[] = [];
      // Ids grow with time, so the first message that is young enough ends the search.
      for (const row of selectOldest.all(subscription, limit)) {
        if (Number(row.published) >= before) break;
        expired.push(Number(row.message));
      }
      return expired;
    },
    close: () => db.close(),
  };
}

/** Files of earlier versions have one count for both. */
function addCounted(db: DatabaseSync): void {
  const columns = db.prepare('PRAGMA table_info(pending)').all();
  if (columns.some((column) => column.name === 'counted')) return;
  db.exec(`
    ALTER TABLE pending ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;
    UPDATE pending SET counted = failures;
  `);
}
