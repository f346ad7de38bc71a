import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import type { BigQuery, Dataset, RoutineMetadata, TableField } from '@google-cloud/bigquery';
import { z } from 'zod';

const INFRA = new URL('../infra/', import.meta.url);

/**
 * Makes the dataset, the tables of infra/tables and the views and table functions of infra/views, as Terraform does.
 * What exists is changed only by what was added: columns, descriptions, and other text of a view. A label of the dataset
 * tells of which files all was made; while they are the same, only what is missing is looked for. Throws what BigQuery
 * refuses, naming the file.
 */
export async function createWarehouse(bigquery: BigQuery, datasetId: string): Promise<void> {
  const dataset = bigquery.dataset(datasetId);
  const isNew = await unlessExists(bigquery.createDataset(datasetId));
  const [[tables], [routines], [{ labels }]] = isNew
    ? [[[]], [[]], [{ labels: undefined }]]
    : await Promise.all([dataset.getTables(), dataset.getRoutines(), dataset.getMetadata()]);
  const existing = new Set([...tables, ...routines].map(({ id }) => id));
  const digest = digestFiles();
  const isUnchanged = labels?.[MADE_OF] === digest;
  const isLeft = ({ name }: { name: string }) => !(isUnchanged && existing.has(name));
  await Promise.all(
    readTables()
      .filter(isLeft)
      .map((table) =>
        named(
          table.name,
          existing.has(table.name) ? changeTable(dataset, table) : createTable(dataset, table),
        ),
      ),
  );
  await createQueries(dataset, readQueries(datasetId).filter(isLeft), existing);
  if (!isUnchanged) await dataset.setMetadata({ labels: { [MADE_OF]: digest } });
}

const MADE_OF = 'made_of';

/** The files that the warehouse is made of, and this one, which makes it. */
export function readFilesOfWarehouse(): { name: string; content: Buffer }[] {
  const files = ['tables/', 'views/'].flatMap((folder) =>
    readdirSync(new URL(folder, INFRA))
      .sort()
      .map((name) => new URL(folder + name, INFRA)),
  );
  return [...files, new URL(import.meta.url)].map((file) => ({
    name: file.pathname.slice(file.pathname.lastIndexOf('/') + 1),
    content: readFileSync(file),
  }));
}

function digestFiles(): string {
  const hash = createHash('sha256');
  for (const { name, content } of readFilesOfWarehouse()) hash.update(name).update(content);
  // A label's value has at most 63 characters: cloud.google.com/bigquery/docs/labels-intro.
  return hash.digest('hex').slice(0, 32);
}

const tableSchema = z.object({
  name: z.string(),
  description: z.string(),
  /** A day of this column is a partition; null where there are none by day. */
  partitionBy: z.string().nullable(),
  rangePartition: z
    .object({ field: z.string(), start: z.number(), end: z.number(), interval: z.number() })
    .optional(),
  expireAfterDays: z.number().optional(),
  clusterBy: z.array(z.string()),
  schema: z.array(
    z.object({ name: z.string(), type: z.string(), mode: z.string(), description: z.string() }),
  ),
});

type Table = z.infer<typeof tableSchema>;

function readTables(): Table[] {
  const folder = new URL('tables/', INFRA);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => tableSchema.parse(JSON.parse(readFileSync(new URL(name, folder), 'utf8'))));
}

async function createTable(dataset: Dataset, table: Table): Promise<void> {
  await dataset.createTable(table.name, {
    description: table.description,
    schema: { fields: table.schema },
    ...(table.partitionBy === null ? {} : { timePartitioning: dailyPartitions(table.partitionBy, table) }),
    ...(table.rangePartition === undefined ? {} : { rangePartitioning: integerRanges(table.rangePartition) }),
    clustering: { fields: table.clusterBy },
  });
}

const dailyPartitions = (field: string, { expireAfterDays }: Table) => ({
  type: 'DAY',
  field,
  ...(expireAfterDays === undefined ? {} : { expirationMs: String(expireAfterDays * 86_400_000) }),
});

const integerRanges = ({ field, start, end, interval }: NonNullable<Table['rangePartition']>) => ({
  field,
  range: { start: String(start), end: String(end), interval: String(interval) },
});

async function changeTable(dataset: Dataset, table: Table): Promise<void> {
  const [before] = await dataset.table(table.name).getMetadata();
  const fields = before.schema.fields.map(({ name, type, mode, description }: TableField) => ({
    name,
    type,
    mode,
    description,
  }));
  const isSame =
    before.description === table.description && JSON.stringify(fields) === JSON.stringify(table.schema);
  if (isSame) return;
  await dataset.table(table.name).setMetadata({
    description: table.description,
    schema: { fields: table.schema },
  });
}

/** A file of infra/views: a view, or a table function where its first line names arguments. */
interface SqlFile {
  name: string;
  sql: string;
  arguments: NonNullable<RoutineMetadata['arguments']> | undefined;
}

const argumentTypes = z.enum(['STRING', 'INT64', 'FLOAT64', 'BOOL', 'TIMESTAMP', 'DATE', 'JSON']);

function readQueries(datasetId: string): SqlFile[] {
  const folder = new URL('views/', INFRA);
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .map((file) => {
      const sql = readFileSync(new URL(file, folder), 'utf8')
        .trim()
        .replaceAll('`tributary.', `\`${datasetId}.`);
      const given = /^-- arguments: (.+)/.exec(sql)?.[1];
      const parsed = given?.split(',').map((argument) => {
        const [name = '', type = ''] = argument.trim().split(/\s+/);
        return { name, dataType: { typeKind: argumentTypes.parse(type) } };
      });
      return { name: file.slice(0, -'.sql'.length), sql, arguments: parsed };
    });
}

/** A view may read others, which must then exist: each is made once those that its text names are. */
async function createQueries(
  dataset: Dataset,
  files: readonly SqlFile[],
  existing: ReadonlySet<string | undefined>,
): Promise<void> {
  const making = new Map<string, Promise<void>>();
  const make = (file: SqlFile): Promise<void> => {
    const known = making.get(file.name);
    if (known !== undefined) return known;
    const put = async () => {
      await Promise.all(files.filter((other) => other !== file && names(file.sql, other.name)).map(make));
      const exists = existing.has(file.name);
      const putting = file.arguments === undefined ? putView : putFunction;
      await named(file.name, putting(dataset, file, exists));
    };
    const made = put();
    making.set(file.name, made);
    return made;
  };
  await Promise.all(files.map(make));
}

/** In backticks after the dataset, outside of comments. */
function names(sql: string, name: string): boolean {
  return sql.replaceAll(/--.*/g, '').includes(`.${name}\``);
}

async function putView(dataset: Dataset, { name, sql }: SqlFile, exists: boolean): Promise<void> {
  const view = { query: sql, useLegacySql: false };
  const description = describe(sql);
  if (!exists) {
    await dataset.createTable(name, { view, description });
    return;
  }
  const [before] = await dataset.table(name).getMetadata();
  if (before.view?.query !== sql) await dataset.table(name).setMetadata({ view, description });
}

async function putFunction(dataset: Dataset, file: SqlFile, exists: boolean): Promise<void> {
  const metadata: RoutineMetadata = {
    routineType: 'TABLE_VALUED_FUNCTION',
    language: 'SQL',
    arguments: file.arguments ?? [],
    definitionBody: file.sql,
    description: describe(file.sql),
  };
  const routine = dataset.routine(file.name);
  if (!exists) {
    await dataset.createRoutine(file.name, metadata);
    return;
  }
  const [before] = await routine.getMetadata();
  if (before.definitionBody !== file.sql) await routine.setMetadata(metadata);
}

/** The comment at the top of the file. */
function describe(sql: string): string {
  const lines = sql.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return lines
    .slice(0, end)
    .filter((line) => !line.startsWith('-- arguments:'))
    .map((line) => line.replace(/^-- ?/, ''))
    .join('\n');
}

async function named(name: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${name} could not be made in BigQuery: ${message}`, { cause: error });
  }
}

async function unlessExists(creating: Promise<unknown>): Promise<boolean> {
  try {
    await creating;
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 409) return false;
    throw error;
  }
}
