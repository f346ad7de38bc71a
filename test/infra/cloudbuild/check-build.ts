import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { ROOT } from '../../repository-files.ts';
import { findMismatches, readBuildType } from './match-proto.ts';
import { type Build, parseBuild, type Step } from './read-build.ts';

/** What Cloud Build itself gives: https://cloud.google.com/build/docs/configuring-builds/substitute-variable-values */
const GIVEN = new Set(
  (
    'PROJECT_ID BUILD_ID PROJECT_NUMBER LOCATION TRIGGER_NAME COMMIT_SHA REVISION_ID SHORT_SHA REPO_NAME REPO_FULL_NAME ' +
    'BRANCH_NAME TAG_NAME REF_NAME TRIGGER_BUILD_CONFIG_PATH SERVICE_ACCOUNT_EMAIL SERVICE_ACCOUNT _HEAD_BRANCH ' +
    '_BASE_BRANCH _HEAD_REPO_URL _PR_NUMBER'
  ).split(' '),
);

let buildType: ReturnType<typeof readBuildType> | undefined;

/** What is wrong with a configuration of Cloud Build: what its own proto refuses, and what the service would. */
export function checkBuild(text: string): string[] {
  const value: unknown = parse(text);
  buildType ??= readBuildType();
  const mismatches = [...findMismatches(buildType, value)];
  // What is not even of the shape cannot be looked into.
  if (mismatches.length > 0) return mismatches;
  const build = parseBuild(value);
  return [
    ...checkSteps(build),
    ...checkVolumes(build),
    ...checkSubstitutions(build),
    ...build.steps.flatMap((step) => [...checkScript(step, build)]),
    ...checkAccount(build),
  ];
}

const nameOf = (step: Step): string => `step ${step.id ?? step.name}`;

function* checkSteps(build: Build): Generator<string> {
  const before = new Set<string>();
  const secrets = new Set(build.availableSecrets?.secretManager?.map(({ env }) => env));
  for (const step of build.steps) {
    const name = nameOf(step);
    if (step.id !== undefined && before.has(step.id)) yield `${name}: there are two of that id`;
    for (const id of step.waitFor ?? []) {
      if (id !== '-' && !before.has(id)) yield `${name} waits for ${id}, which is no step before it`;
    }
    if (step.id !== undefined) before.add(step.id);
    const tag = /:([^/]+)$/.exec(step.name)?.[1];
    if (tag === undefined || tag === 'latest')
      yield `${name}: ${step.name} has no tag, and is another image tomorrow`;
    if (step.script !== undefined && (step.args ?? step.entrypoint) !== undefined)
      yield `${name} has a script, and args or an entrypoint`;
    if (step.dir !== undefined && !existsSync(join(ROOT, step.dir))) yield `${name}: there is no ${step.dir}`;
    for (const secret of step.secretEnv) {
      if (!secrets.has(secret)) yield `${name}: ${secret} is not among availableSecrets`;
    }
  }
}

function* checkVolumes({ steps }: Build): Generator<string> {
  const users = Map.groupBy(
    steps.flatMap((step) => step.volumes),
    ({ name }) => name,
  );
  for (const [name, volumes] of users) {
    if (volumes.length < 2) yield `the volume ${name} is used by one step, and Cloud Build asks for two`;
    if (volumes.some(({ path }) => !path.startsWith('/') || /^\/(workspace|cloudbuild)/.test(path)))
      yield `the volume ${name} is at a path that is not absolute, or Cloud Build's own`;
  }
}

function* checkSubstitutions(build: Build): Generator<string> {
  const declared = Object.keys(build.substitutions ?? {});
  const used = new Set<string>();
  for (const { path, text } of findTexts(build)) {
    for (const [written, name = ''] of text.matchAll(/\$\$|\$\{?(\w+)\}?/g)) {
      if (written === '$$') continue;
      used.add(name);
      if (!GIVEN.has(name) && !declared.includes(name))
        yield `${path}: ${written} is no substitution that is declared; a variable of the shell is written $${written}`;
    }
  }
  for (const name of declared) {
    if (!/^_[A-Z0-9_]+$/.test(name)) yield `substitutions.${name} must begin with _ and be upper case`;
    if (!used.has(name) && build.options?.substitutionOption !== 'ALLOW_LOOSE')
      yield `substitutions.${name} is used nowhere`;
  }
  const refers = Object.values(build.substitutions ?? {}).some((it) => it.includes('$'));
  if (refers && build.options?.dynamicSubstitutions !== true)
    yield 'substitutions refer to others without dynamicSubstitutions';
}

/** Every text that Cloud Build substitutes in: all but scripts. */
function* findTexts(value: unknown, path = ''): Generator<{ path: string; text: string }> {
  if (typeof value === 'string') yield { path, text: value };
  else if (typeof value === 'object' && value !== null) {
    for (const [name, it] of Object.entries(value)) {
      if (name !== 'script') yield* findTexts(it, path === '' ? name : `${path}.${name}`);
    }
  }
}

/** A script sees the variables of its step, and no substitutions. */
function* checkScript(step: Step, build: Build): Generator<string> {
  if (step.script === undefined || build.options?.automapSubstitutions === true) return;
  const set = new Set(['PATH', 'HOME', 'PWD', ...step.secretEnv]);
  for (const it of [...(build.options?.env ?? []), ...step.env]) set.add(it.split('=')[0] ?? '');
  for (const [, name = ''] of step.script.matchAll(/(?:^|[\s;])(?:export |local )?([A-Za-z_]\w*)=/gm))
    set.add(name);
  for (const [, name = ''] of step.script.matchAll(/\$\{?([A-Za-z_]\w*)/g)) {
    if (!set.has(name)) yield `${nameOf(step)}: its script reads ${name}, which env does not set`;
  }
}

/** https://cloud.google.com/build/docs/securing-builds/configure-user-specified-service-accounts */
function* checkAccount({ serviceAccount, logsBucket, options }: Build): Generator<string> {
  if (serviceAccount === undefined) yield 'there is no serviceAccount, so that the default one is used';
  else if (!['CLOUD_LOGGING_ONLY', 'NONE'].includes(options?.logging ?? '') && logsBucket === undefined)
    yield 'with a serviceAccount logging must be CLOUD_LOGGING_ONLY, or there must be a logsBucket';
}
