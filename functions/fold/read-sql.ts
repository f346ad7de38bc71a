import { sqlFiles } from './generated/sql-files.ts';

export type SqlFile = keyof typeof sqlFiles;
export type SqlTexts = Readonly<Record<SqlFile, string>>;

/**
 * The statement of a file of functions/fold/sql: a line `-- include other.sql` stands for the text of that file, and
 * `tributary` for the dataset.
 */
export const readSql = (file: SqlFile, dataset: string, files: SqlTexts = sqlFiles): string =>
  expandIncludes(files[file], (name) => {
    if (!isSqlFile(name)) throw new Error(`${file} includes ${name}, which does not exist.`);
    return files[name];
  }).replaceAll('`tributary.', () => `\`${dataset}.`);

/** Puts the texts of other files where a text includes them, as deep as they do. */
export function expandIncludes(text: string, read: (file: string) => string): string {
  return text.replace(/^( *)-- include (\S+\.sql)$/gm, (_, indentation: string, file: string) =>
    expandIncludes(read(file).trimEnd(), read).replace(/^(?=.)/gm, indentation),
  );
}

/** The statement of a file with its places, as {operations}, filled. Throws where it has others. */
export const fillSql = (
  file: SqlFile,
  dataset: string,
  places: Readonly<Record<string, string>>,
  files?: SqlTexts,
): string =>
  readSql(file, dataset, files).replace(/\{(\w+)\}/g, (_, name: string) => {
    const text = places[name];
    if (text === undefined) throw new Error(`${file} has {${name}}, for which there is no text.`);
    return text;
  });

const isSqlFile = (name: string): name is SqlFile => Object.hasOwn(sqlFiles, name);
