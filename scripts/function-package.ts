import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ArchivedFile } from './archive.ts';
import { FRAMEWORK, HOST_VERSION } from './bundle.ts';

export type HostKind = 'own' | 'framework';

/**
 * The package.json and package-lock.json of one function's archive.
 *
 * Google's Node buildpack looks for a dependency of the framework's name, runs `npm ci`, and would run a "build"
 * script; an empty "gcp-build" stops it. With our own host the lock file needs no registry.
 */
export function describeFunction(name: string, host: HostKind, root: string): ArchivedFile[] {
  const description = {
    name,
    private: true,
    main: 'index.js',
    engines: { node: '24' },
    scripts: { 'gcp-build': '' },
    dependencies: { [FRAMEWORK]: host === 'own' ? 'file:./host' : HOST_VERSION.split('-')[0] },
  };
  const { main: _main, private: _private, scripts: _scripts, ...locked } = description;
  const packages = host === 'own' ? OWN_HOST_PACKAGES : lockedClosure(FRAMEWORK, root);
  const lock = { name, lockfileVersion: 3, requires: true, packages: { '': locked, ...packages } };
  return [
    { path: 'package.json', content: printJson(description) },
    { path: 'package-lock.json', content: printJson(lock) },
  ];
}

const OWN_HOST_PACKAGES = {
  host: {
    name: FRAMEWORK,
    version: HOST_VERSION,
    license: 'Apache-2.0',
    bin: { 'functions-framework': 'bin/functions-framework.js' },
  },
  [`node_modules/${FRAMEWORK}`]: { resolved: 'host', link: true },
};

type LockedPackage = {
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  [field: string]: unknown;
};

/** What our own lock file installs for `name` and everything it needs, each at the place it has there. */
function lockedClosure(name: string, root: string): Record<string, LockedPackage> {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(root, 'package-lock.json'), 'utf8'),
  );
  const found = new Map<string, LockedPackage>();
  const wanted = [{ name, from: '' }];
  for (const { name: dependency, from } of wanted) {
    const place = findInstalled(dependency, from, lock.packages);
    const entry = place === undefined ? undefined : lock.packages[place];
    if (place === undefined || entry === undefined || found.has(place)) continue;
    const { dev: _dev, ...kept } = entry;
    found.set(place, kept);
    const needs = { ...kept.dependencies, ...kept.optionalDependencies, ...kept.peerDependencies };
    for (const need of Object.keys(needs)) wanted.push({ name: need, from: place });
  }
  return Object.fromEntries([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Node's own search: the node_modules of the asking package, then of each folder above it. */
function findInstalled(
  name: string,
  from: string,
  packages: Record<string, LockedPackage>,
): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))) {
    const place = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (place in packages) return place;
    if (folder === '') return undefined;
  }
}

function printJson(value: unknown): Buffer {
  return Buffer.from(`${JSON.stringify(value, null, 2)}\n`);
}
