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

/** The queries of the README and the documents: blocks of SQL, and what `npm run query` is given. */
export const readDocumentedQueries = (): ShippedQuery[] =>
  listFiles()
    .filter((path) => path === 'README.md' || /^docs\/.*\.md$/.test(path))
    .flatMap((file) => {
      const text = readText(file);
      const written = /^```sql\n([\s\S]*?)^```$|npm run query -- "((?:[^"\\]|\\.)*)"/gm;
      return [...text.matchAll(written)].flatMap((match) => {
        const sql = match[1] ?? match[2]!.replace(/\\(["$`\\])/g, '$1');
        const before = text.slice(0, match.index + match[0].indexOf(match[1] ?? match[2]!)).split('\n');
        const column = before.at(-1)!.length + 1;
        return [{ file, line: before.length, column, sql }];
      });
    });
