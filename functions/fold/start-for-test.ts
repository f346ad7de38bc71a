import { randomUUID } from 'node:crypto';
import type { BigQueryOptions } from '../../local/bigquery/index.ts';
import { startStores } from '../../local/stores-for-test.ts';
import { type Settings, settingsSchema } from '../../shared/settings/settings.ts';
import { encodeRow } from '../../shared/warehouse/encode-row.ts';
import type { EventLogRow } from '../../shared/warehouse/generated/row-types.ts';
import { createRowBuffer } from '../../shared/warehouse/row-buffer.ts';
import { currentSchemaVersion } from '../../shared/warehouse/schema-versions.ts';
import { eventLog } from '../../shared/warehouse/tables/index.ts';
import { createDecisionAppender } from './append-decisions.ts';
import { runTick, type Tick } from './run-tick.ts';
import { stateObject } from './state.ts';
import type { TickOptions } from './tick-context.ts';

export const settingsOf = (settings: object): Settings => settingsSchema.parse(settings);
export const noSettings = settingsOf({});

/** A row of state_log with what the test does not care about. */
export type Operation = Partial<EventLogRow> & Pick<EventLogRow, 'project' | 'kind' | 'received_at'>;

/** What persons and profiles have in common, in one order. */
const personColumns = `project, user_key, user_id, anonymous_id, TO_JSON_STRING(properties) AS properties,
  UNIX_MICROS(first_seen_at) AS first_seen, UNIX_MICROS(updated_at) AS updated`;
const personOrder = 'project, user_id, user_key, anonymous_id';

/**
 * Starts a local BigQuery with the warehouse, and a Cloud Storage, for ticks in this very process. Its jobs tell their bytes
 * only where that is asked for.
 */
export async function startFold(
  given: Partial<TickOptions> = {},
  server: Pick<BigQueryOptions, 'threads' | 'estimatesBytes'> = {},
) {
  const stores = await startStores({ bucket: 'tributary-fold', server });
  const { bigquery, bucket, writer, query } = stores;
  const buffer = createRowBuffer();
  const options: TickOptions = {
    bigquery,
    dataset: 'tributary',
    bucket,
    appendDecisions: createDecisionAppender(writer, 10_000),
    now: Date.now,
    callWithinMs: 5_000,
    leaseMs: 60_000,
    withinMs: 60_000,
    mostPersons: 20_000,
    ...given,
  };

  return {
    ...stores,
    options,
    tick(
      call: { full?: boolean; settings?: Settings } = {},
      other: Partial<TickOptions> = {},
    ): Promise<Tick> {
      const { full = false, settings = noSettings } = call;
      return runTick({ full, settings }, { ...options, ...other });
    },
    /** Appends to state_log, as load does. */
    async append(operations: readonly Operation[]): Promise<void> {
      const rows = operations.map((operation) => {
        buffer.reset();
        encodeRow(buffer, eventLog, { ...rowOf(operation) });
        return Buffer.from(buffer.bytes(0, buffer.length));
      });
      const outcome = await writer.append('state_log', currentSchemaVersion, rows, Date.now() + 10_000);
      if (outcome.kind !== 'appended' || outcome.refused.length > 0) throw new Error(JSON.stringify(outcome));
    },
    persons: () => query(`SELECT ${personColumns} FROM persons ORDER BY ${personOrder}`),
    /** What persons must be: the pure fold of state_log, with the bindings as they are. */
    profiles: () => query(`SELECT ${personColumns} FROM profiles ORDER BY ${personOrder}`),
    bindings: () =>
      query(
        'SELECT project, anonymous_id, user_key, user_id FROM identity_bindings ORDER BY project, anonymous_id',
      ),
    async state(): Promise<Record<string, unknown>> {
      const stored = await bucket.find(stateObject, 5_000);
      const data = stored && (await bucket.read(stateObject, stored.generation, 5_000));
      return JSON.parse(String(data)) as Record<string, unknown>;
    },
  };
}

export type StartedFold = Awaited<ReturnType<typeof startFold>>;

function rowOf(operation: Operation): EventLogRow {
  const { properties, keys } = operation;
  const members = properties === undefined ? {} : (JSON.parse(properties) as object);
  return {
    event_id: randomUUID().replaceAll('-', ''),
    request_hash: 'f'.repeat(64),
    dialect: 'tributary',
    occurred_at: operation.received_at,
    time_source: 'sender',
    debug: 0,
    batch_id: randomUUID().replaceAll('-', ''),
    batch_index: 0,
    ...operation,
    keys: keys ?? Object.keys(members),
  };
}
