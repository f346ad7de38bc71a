import { ZipFile } from 'yazl';

/** What an archive holds under one path. */
export type ArchivedFile = { path: string; content: Buffer; executable?: boolean };

/**
 * Zips files so that equal content gives equal bytes: entries sorted, one fixed time, modes that no umask touches.
 * Executables are 0755 in the archive itself, since a cached rebuild at Google never chmods what npm links as a bin.
 */
export async function zip(files: readonly ArchivedFile[]): Promise<Buffer> {
  const archive = new ZipFile();
  for (const { path, content, executable } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    archive.addBuffer(content, path, {
      // A DOS time is written in local time, so a local date is what reads the same in every time zone.
      mtime: new Date(2020, 0, 1),
      forceDosTimestamp: true,
      mode: executable ? 0o100755 : 0o100644,
    });
  }
  archive.end();
  const chunks: Buffer[] = [];
  for await (const chunk of archive.outputStream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
