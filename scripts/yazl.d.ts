/** The part of yazl that scripts/archive.ts uses; the package ships no types. */
declare module 'yazl' {
  export class ZipFile {
    readonly outputStream: NodeJS.ReadableStream;
    addBuffer(
      buffer: Buffer,
      metadataPath: string,
      options: { mtime: Date; mode: number; forceDosTimestamp: boolean },
    ): void;
    end(): void;
  }
}
