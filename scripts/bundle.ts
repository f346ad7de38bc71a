import { join } from 'node:path';
import { type BuildOptions, build } from 'esbuild';
import type { ArchivedFile } from './archive.ts';
import { deferClientWork } from './defer-client-work.ts';
import {
  DEFERRED_FOLDER,
  type DeferredModule,
  deferProtobufClasses,
  leaveOutUnreachable,
  mergeDuplicates,
  parseLargeJson,
} from './lean-clients.ts';

/** The one module that stays outside: in an archive it is either our host or Google's framework. */
export const FRAMEWORK = '@google-cloud/functions-framework';

export type Bundle = {
  files: ArchivedFile[];
  sourceMap: Buffer;
  /** The modules that index.js consists of. */
  parts: { path: string; bytes: number }[];
};

/**
 * Bundles a function into `index.js`, the licences of what it contains, and what it loads only when touched.
 * `root` is the folder whose package-lock.json and node_modules it draws on; `entry` is a TypeScript file.
 */
export async function bundleFunction(entry: string, root: string): Promise<Bundle> {
  const deferred = new Map<string, DeferredModule>();
  const outdir = join(root, 'dist');
  const main = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: [{ in: entry, out: 'index' }],
    outdir,
    write: false,
    metafile: true,
    sourcemap: 'external',
    legalComments: 'external',
    plugins: [
      mergeDuplicates(root),
      deferProtobufClasses(root, deferred),
      deferClientWork(root),
      leaveOutUnreachable(),
      parseLargeJson(),
    ],
  });
  const files: ArchivedFile[] = [];
  let sourceMap: Buffer = Buffer.alloc(0);
  for (const { path, contents } of main.outputFiles) {
    if (path.endsWith('.map')) sourceMap = Buffer.from(contents);
    else files.push({ path: path.slice(outdir.length + 1), content: Buffer.from(contents) });
  }
  const parts = Object.values(main.metafile.outputs)
    .flatMap(({ inputs }) => Object.entries(inputs))
    .map(([path, { bytesInOutput }]) => ({ path, bytes: bytesInOutput }));
  return { files: [...files, ...(await bundleDeferred([...deferred.values()], root))], sourceMap, parts };
}

/** Bundles our host as the package that the archives resolve the framework's name to, rooted at `host/`. */
export async function bundleHost(root: string): Promise<ArchivedFile[]> {
  const built = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: [join(root, 'shared/host/index.ts')],
    write: false,
  });
  const description = {
    name: FRAMEWORK,
    version: HOST_VERSION,
    private: true,
    license: 'Apache-2.0',
    main: 'index.js',
    bin: { 'functions-framework': 'bin/functions-framework.js' },
  };
  return [
    { path: 'host/index.js', content: Buffer.from(built.outputFiles[0]!.contents) },
    {
      path: 'host/bin/functions-framework.js',
      content: Buffer.from("#!/usr/bin/env node\nrequire('../index.js').main();\n"),
      executable: true,
    },
    { path: 'host/package.json', content: Buffer.from(`${JSON.stringify(description, null, 2)}\n`) },
  ];
}

/** The framework version whose contract our host keeps. */
export const HOST_VERSION = '5.0.5-tributary';

const OPTIONS = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'cjs',
  // Not identifiers: google-gax, proto3-json-serializer and @google-cloud/bigquery decide by `constructor.name`, and
  // names keep stack traces readable where there is no source map.
  minifyWhitespace: true,
  minifySyntax: true,
  define: { 'process.env.NODE_ENV': '"production"' },
  external: [FRAMEWORK],
  logLevel: 'silent',
} satisfies BuildOptions;

async function bundleDeferred(modules: DeferredModule[], root: string): Promise<ArchivedFile[]> {
  if (modules.length === 0) return [];
  const outdir = join(root, 'dist', DEFERRED_FOLDER);
  const built = await build({
    ...OPTIONS,
    absWorkingDir: root,
    entryPoints: modules.map(({ source, file }) => ({ in: source, out: file.replace(/\.js$/, '') })),
    outdir,
    write: false,
    legalComments: 'none',
  });
  return built.outputFiles.map(({ path, contents }) => ({
    path: `${DEFERRED_FOLDER}/${path.slice(outdir.length + 1)}`,
    content: Buffer.from(contents),
  }));
}
