import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Plugin } from 'esbuild';

/** A generated protobuf module that the bundle loads from a file of its own, the first time it is touched. */
export type DeferredModule = { source: string; file: string };

/** The folder, beside the bundle, that holds the deferred modules. */
export const DEFERRED_FOLDER = 'protos';

/**
 * Bundles one copy of packages that npm installed several times at the same version.
 *
 * Google's clients bring google-gax and google-auth-library each in a folder of its own; a second copy costs as much
 * to parse and run as the first. Only copies of equal name and version are merged, as `npm dedupe` would.
 */
export function mergeDuplicates(root: string): Plugin {
  const canonical = findDuplicates(root);
  return {
    name: 'merge-duplicates',
    setup(build) {
      build.onResolve(
        { filter: startingWith(canonical.keys()) },
        async ({ path, importer, resolveDir, kind, pluginData }) => {
          if (pluginData === RESOLVING || !importer.includes(`${sep}node_modules${sep}`)) return undefined;
          const resolved = await build.resolve(path, { importer, resolveDir, kind, pluginData: RESOLVING });
          const inside =
            resolved.external || resolved.errors.length > 0 ? undefined : splitPackage(resolved.path, root);
          const first = inside === undefined ? undefined : canonical.get(inside.folder);
          return inside === undefined || first === undefined
            ? undefined
            : { path: join(root, first, inside.file) };
        },
      );
    },
  };
}

/**
 * Keeps Google's generated protobuf classes (most of each client's code) out of the bundle until something touches
 * them: the clients only re-export them and talk through the JSON descriptors. Fills `deferred` with what it put off.
 */
export function deferProtobufClasses(root: string, deferred: Map<string, DeferredModule>): Plugin {
  return {
    name: 'defer-protobuf-classes',
    setup(build) {
      build.onLoad({ filter: /[\\/]build[\\/]protos[\\/]\w+\.js$/ }, ({ path }) => {
        const module = { source: path, file: nameDeferred(relative(root, path)) };
        deferred.set(path, module);
        return { contents: deferringModule(module.file), loader: 'js' };
      });
      build.onResolve({ filter: new RegExp(`^\\./${DEFERRED_FOLDER}/`) }, ({ path, pluginData, importer }) =>
        pluginData === RESOLVING || !deferred.has(importer) ? undefined : { path, external: true },
      );
    },
  };
}

/**
 * Leaves out what cannot be reached here: a polyfill that fetch-blob loads only where there are no web streams
 * (Node 24 has them), and zod's messages in other languages, of which nothing asks for any but English.
 */
export function leaveOutUnreachable(): Plugin {
  return {
    name: 'leave-out-unreachable',
    setup(build) {
      build.onLoad({ filter: /[\\/]web-streams-polyfill[\\/]dist[\\/]\w+[.\w]*\.js$/ }, () => ({
        contents: '',
      }));
      build.onLoad({ filter: /[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
        contents: "export { default as en } from './en.js';",
      }));
    },
  };
}

/** Turns large JSON files into `JSON.parse` of a string, which V8 reads faster than an object literal. */
export function parseLargeJson(): Plugin {
  return {
    name: 'parse-large-json',
    setup(build) {
      build.onLoad({ filter: /\.json$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (text.length < LARGE_JSON_CHARACTERS) return undefined;
        const compact = JSON.stringify(JSON.stringify(JSON.parse(text)));
        return { contents: `module.exports = JSON.parse(${compact});`, loader: 'js' };
      });
    },
  };
}

const LARGE_JSON_CHARACTERS = 10_000;

/** Marks a resolution that a plugin here asked for, so that it is not asked again. */
const RESOLVING = Symbol('resolving');

/** `node_modules/@a/b/node_modules/c/build/protos/d.js` becomes `a-b-c-d.js`: every copy has a name of its own. */
function nameDeferred(path: string): string {
  return path
    .replaceAll(/(^|[\\/])node_modules[\\/]@?/g, '$1')
    .replace(/build[\\/]protos[\\/]/, '')
    .replaceAll(/[\\/]/g, '-');
}

/** `__esModule` keeps TypeScript's `import *` from copying every property, which would load the module at once. */
function deferringModule(file: string): string {
  return `
    let loaded;
    module.exports = { __esModule: true, get google() { return (loaded ??= require('./${DEFERRED_FOLDER}/${file}')).google; } };
  `;
}

/** Matches imports of the packages in these folders; anything wider would ask about every import of every file. */
function startingWith(folders: Iterable<string>): RegExp {
  const names = new Set([...folders].map((folder) => folder.split('node_modules/').at(-1) ?? ''));
  return new RegExp(`^(?:${[...names].join('|').replaceAll('.', '\\.')})(?:/|$)`);
}

function splitPackage(path: string, root: string): { folder: string; file: string } | undefined {
  const match = /^(.*node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/](.*)$/.exec(relative(root, path));
  return match?.[1] === undefined || match[2] === undefined
    ? undefined
    : { folder: match[1], file: match[2] };
}

/** Each folder of a package that is installed again elsewhere at the same version, and the folder to use instead. */
function findDuplicates(root: string): Map<string, string> {
  const lock: { packages: Record<string, { version?: string }> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const firstOf = new Map<string, string>();
  const canonical = new Map<string, string>();
  for (const folder of Object.keys(lock.packages).sort()) {
    const key = `${folder.split('node_modules/').at(-1)}@${lock.packages[folder]?.version}`;
    const first = firstOf.get(key);
    if (first === undefined) firstOf.set(key, folder);
    else canonical.set(folder, first);
  }
  return canonical;
}
