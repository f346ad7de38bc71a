import { personsMerge, personsRebuild } from '../../../functions/fold/compose-sql.ts';
import { readSql, type SqlFile } from '../../../functions/fold/read-sql.ts';
import { arrivedPairs, mergePairs, rebuildPairs } from '../../../functions/fold/rebind.ts';
import { listFiles, readText } from '../../repository-files.ts';

/** A query that the repository ships, and where it is written. */
export interface ShippedQuery {
  readonly file: string;
  /** The line and column of the file, from 1, at which the query's own text begins. */
  readonly line: number;
  readonly column: number;
  readonly sql: string;
}

/** A view, or a table function when it has arguments, by the name of its file. */
export interface ShippedView extends ShippedQuery {
  readonly name: string;
  readonly arguments: readonly { name: string; type: string }[];
}

export interface ShippedTable {
  readonly name: string;
  readonly schema: readonly { name: string; type: string; mode: string }[];
}

export const readTables = (): ShippedTable[] =>
  listFiles()
    .filter((path) => /^infra\/tables\/\w+\.json$/.test(path))
    .map((path) => JSON.parse(readText(path)) as ShippedTable);

export const readViews = (): ShippedView[] =>
  listFiles()
    .filter((path) => /^infra\/views\/\w+\.sql$/.test(path))
    .map((file) => {
      const sql = readText(file);
      const declared = /^-- arguments: (.*)$/m.exec(sql)?.[1]?.split(', ') ?? [];
      return {
        file,
        line: 1,
        column: 1,
        sql,
        name: file.replace(/^.*\/|\.sql$/g, ''),
        arguments: declared.map((one) => {
          const [name = '', type = ''] = one.split(' ');
          return { name, type };
        }),
      };
    });

/** What is shipped as GoogleSQL beside the views: each `.sql` file of a command or an example is one query. */
export const readQueryFiles = (): ShippedQuery[] =>
  listFiles()
    .filter((path) => path.endsWith('.sql') && !/^infra\/views\/|^test\/|^functions\/fold\//.test(path))
    .map((file) => ({ file, line: 1, column: 1, sql: readText(file) }));

/**
 * The statements of fold, each with the files that it includes: a place in one counts the lines of all. Files with places in
 * braces are parts of the views, and of what is composed for the table of persons.
 */
export const readFoldStatements = (): ShippedQuery[] => {
  const names = listFiles().flatMap((path) => /^functions\/fold\/sql\/([\w-]+\.sql)$/.exec(path)?.[1] ?? []);
  const whole = names.flatMap((name): [string, string][] => {
    const sql = readSql(name as SqlFile, 'tributary');
    return /\{\w+\}/.test(sql) ? [] : [[name, sql]];
  });
  const composed: [string, string][] = [
    ['arrived-pairs.sql', arrivedPairs('tributary')],
    ['merge-pairs.sql', mergePairs('tributary')],
    ['rebuild-pairs.sql', rebuildPairs('tributary')],
    ['merge-persons.sql', personsMerge('tributary')],
    ['rebuild-persons.sql', personsRebuild('tributary')],
  ];
  return [...whole, ...composed].map(([name, sql]) => ({
    file: `functions/fold/sql/${name}, composed`,
    line: 1,
    column: 1,
    sql,
  }));
};

/**
 * The queries of the documents: blocks of SQL, what `npm run query` is given, and the texts of the examples' code that
 * begin with SELECT or WITH; and those of a function's `queries.ts`, which is bundled and so can read no file.
 */
export const readDocumentedQueries = (): ShippedQuery[] =>
  listFiles().flatMap((file) => {
    if (/^(?!test\/).*\.md$/.test(file)) return matchQueries(file, ofDocuments);
    return /^docs\/.*\.(?:mjs|js|ts|py|sh)$|^functions\/\w+\/queries\.ts$/.test(file)
      ? matchQueries(file, ofCode)
      : [];
  });

const ofDocuments = /^```sql\n([\s\S]*?)^```$|npm run query -- "((?:[^"\\]|\\.)*)"/gm;
const ofCode = /(?:`|'|"|""")\s*((?:SELECT|WITH)\b[^`"]*)/g;

const matchQueries = (file: string, written: RegExp): ShippedQuery[] => {
  const text = readText(file);
  return [...text.matchAll(written)].flatMap((match) => {
    const found = match[1] ?? match[2]!;
    const sql = match[1] ?? found.replace(/\\(["$`\\])/g, '$1');
    const before = text.slice(0, match.index + match[0].indexOf(found)).split('\n');
    return [{ file, line: before.length, column: before.at(-1)!.length + 1, sql }];
  });
};
