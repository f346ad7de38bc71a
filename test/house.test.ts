import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { besideTheDataPath, dataPath } from './data-path.ts';
import { listFiles, listImports, readText } from './repository-files.ts';

const files = listFiles();
const code = files.filter((path) => path.endsWith('.ts'));
const isTest = (path: string) => path.startsWith('test/') || /(\.test|-for-test)\.ts$/.test(path);
const isProduct = (path: string) => !isTest(path);

interface Import {
  readonly from: string;
  readonly to: string;
}

const imports: readonly Import[] = code.flatMap((from) => listImports(from).map((to) => ({ from, to })));
const inside =
  (...folders: string[]) =>
  (path: string) =>
    folders.some((folder) => path.startsWith(`${folder}/`));
const isOurs = inside('commands', 'functions', 'shared', 'local', 'sdk', 'test', 'scripts', 'docs');

/** The imports that break a rule, as `file -> file`; a test expects none. */
const breaking = (breaks: (one: Import) => boolean): string[] =>
  imports.filter(breaks).map(({ from, to }) => `${from} -> ${to}`);

describe('who may know whom', () => {
  test('the imports of every file are found, and what they name exists', () => {
    expect(code.length).toBeGreaterThan(200);
    expect(imports.length).toBeGreaterThan(1000);
    expect(breaking(({ to }) => isOurs(to) && !files.includes(to))).toEqual([]);
  });

  test('a function imports shared and its own folder, and never another function', () => {
    const own = (path: string) => path.split('/').slice(0, 2).join('/');
    const allowed = ({ from, to }: Import) => !isOurs(to) || inside('shared', own(from))(to);
    expect(breaking((one) => inside('functions')(one.from) && isProduct(one.from) && !allowed(one))).toEqual(
      [],
    );
  });

  test('a command imports shared and other commands, and neither functions nor local', () => {
    const isCommand = (path: string) => inside('commands')(path) && isProduct(path);
    const allowed = inside('commands', 'shared');
    expect(breaking(({ from, to }) => isCommand(from) && isOurs(to) && !allowed(to))).toEqual([]);
  });

  test('shared imports nothing of functions, local, sdk, test or scripts', () => {
    const isShared = (path: string) => inside('shared')(path) && isProduct(path);
    expect(breaking(({ from, to }) => isShared(from) && isOurs(to) && !inside('shared')(to))).toEqual([]);
  });

  test('the SDK imports its own folder, the wire formats, the event and Node, so that nothing comes along with it', () => {
    const isSdk = (path: string) => inside('sdk')(path) && isProduct(path);
    // Bundled into an entry point of its own.
    const allowed = (to: string) =>
      inside('sdk', 'shared/wire')(to) ||
      to === 'shared/events/event.ts' ||
      to.startsWith('node:') ||
      to === 'snappyjs';
    expect(breaking(({ from, to }) => isSdk(from) && !allowed(to))).toEqual([]);
  });

  test('nothing but tests and scripts imports the SDK', () => {
    const isSdk = inside('sdk');
    const mayImport = (path: string) => isSdk(path) || isTest(path) || inside('scripts')(path);
    expect(breaking(({ from, to }) => !mayImport(from) && isSdk(to))).toEqual([]);
  });

  test('what judges the code imports nothing of it: the fakes of Google know neither functions nor shared', () => {
    const isFake = (path: string) =>
      inside(
        'local/admin',
        'local/pubsub',
        'local/bigquery',
        'local/issuer',
        'local/monitoring',
        'local/reports',
        'local/scheduler',
        'local/storage',
      )(path);
    const isCode = inside('functions', 'shared', 'sdk');
    expect(breaking(({ from, to }) => isFake(from) && isProduct(from) && isCode(to))).toEqual([]);
  });

  test('nothing but local and tests points at local, be it by import or by path', () => {
    const mayPoint = (path: string) => inside('local')(path) || isTest(path);
    expect(breaking(({ from, to }) => !mayPoint(from) && inside('local')(to))).toEqual([]);
    const byPath = /['"`](?:\.{1,2}\/)+local\//;
    expect(code.filter((path) => !mayPoint(path) && byPath.test(readText(path)))).toEqual([]);
  });

  test('tests are imported by tests only', () => {
    expect(breaking(({ from, to }) => isProduct(from) && isTest(to))).toEqual([]);
  });

  test('decoding and encoding of a dialect do not import each other', () => {
    const isHalf = (path: string, half: string) =>
      inside('shared/wire')(path) && path.split('/').some((part) => part.startsWith(half));
    const crosses = ({ from, to }: Import) =>
      isProduct(from) &&
      ((isHalf(from, 'decode') && isHalf(to, 'encode')) || (isHalf(from, 'encode') && isHalf(to, 'decode')));
    expect(breaking(crosses)).toEqual([]);
  });

  test('one dialect does not import another', () => {
    const dialectOf = (path: string) =>
      dirname(path).startsWith('shared/wire/') ? dirname(path).split('/')[2] : undefined;
    const mixes = ({ from, to }: Import) => {
      const [one, other] = [dialectOf(from), dialectOf(to)];
      return one !== undefined && other !== undefined && one !== other && other !== 'json';
    };
    expect(breaking(mixes)).toEqual([]);
  });

  test('the canonical event imports nothing', () => {
    expect(listImports('shared/events/event.ts')).toEqual([]);
  });

  test("only shared/google makes Google's clients in functions and shared", () => {
    const makes = /\bnew (?:\w+\.)*(?:PubSub|BigQuery|Storage|\w+Client)\(/;
    const makers = code.filter(
      (path) =>
        inside('commands', 'functions', 'shared')(path) && isProduct(path) && makes.test(readText(path)),
    );
    expect(makers.sort()).toEqual([
      'shared/google/analytics-admin.ts',
      'shared/google/authorizer.ts',
      'shared/google/bigquery.ts',
      'shared/google/monitoring.ts',
      'shared/google/pubsub-publisher.ts',
      'shared/google/pubsub-subscriber.ts',
      'shared/google/pubsub.ts',
      'shared/google/storage-write.ts',
      'shared/google/youtube-consent.ts',
    ]);
  });
});

describe('the data path', () => {
  test.each(Object.entries(dataPath))('%s imports what the table says and nothing else', (path, expected) => {
    expect(listImports(path).sort()).toEqual([...expected].sort());
  });

  test('is all that the two functions of the data path reach, but for what the table sets beside it', () => {
    const reached = new Set(['functions/ingest/index.ts', 'functions/load/index.ts']);
    for (const path of reached) for (const to of listImports(path)) if (isOurs(to)) reached.add(to);
    const isBeside = (path: string) => besideTheDataPath.some((it) => path.startsWith(it));
    expect([...reached].filter((path) => !(path in dataPath) && !isBeside(path))).toEqual([]);
    expect(Object.keys(dataPath).filter((path) => !reached.has(path))).toEqual([]);
  });
});

describe('every file', () => {
  const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*$/gm, '');

  test('has types: no any, and nothing that silences the compiler', () => {
    const untyped = /[:<|]\s*any\s*[,;)=>\]|&[{]|\bas any\b(?! \w)/;
    // As parts, so that this file is not found by itself.
    const silencer = new RegExp(['@ts', '(ignore|expect-error|nocheck)'].join('-'));
    expect(code.filter((path) => untyped.test(withoutComments(readText(path))))).toEqual([]);
    expect(code.filter((path) => silencer.test(readText(path)))).toEqual([]);
  });

  test('is linted, without any rule set aside', () => {
    const silencer = new RegExp(`${['biome', 'ignore'].join('-')}(?:-\\w+)? (\\S+?):`, 'g');
    const silenced = code.flatMap((path) => [...readText(path).matchAll(silencer)].map((match) => match[1]));
    expect(silenced).toEqual([]);
  });

  test('of tests runs whole: none is skipped, singled out or put off', () => {
    const partial = /\b(?:test|it|describe|suite)\.(?:skip|only|todo|skipIf|runIf|fails)\b/;
    expect(code.filter((path) => partial.test(readText(path)))).toEqual([]);
  });

  test('has at most 400 lines, but for those that are lists', () => {
    const isWritten = (path: string) =>
      /\.(ts|mjs|sql|md|yaml|proto)$/.test(path) && !path.includes('/generated/');
    const long = files.filter((path) => isWritten(path) && readText(path).trimEnd().split('\n').length > 400);
    expect(long.sort()).toEqual([
      // A table of some six hundred queries with GoogleSQL's own answers.
      'local/bigquery/sql/cases.ts',
      // One test for each administrative call of Pub/Sub.
      'local/pubsub/administration.test.ts',
      // A line for each import on the data path.
      'test/data-path.ts',
    ]);
  });

  const prose = files.filter((path) => !/(^|\/)package-lock\.json$|^LICENSE$|^test\/captures\//.test(path));

  test('tells of the project and not of how it was made: no work sessions, issue numbers or paths of a machine', () => {
    /** The word is also what these are about. */
    const aboutSessions = new Set([
      // A streaming pull is a session of messages and acknowledgements.
      'local/pubsub/streaming-pull.ts',
      // Queries that divide events into visits, and what tells of them.
      'local/bigquery/sql/cases.ts',
      'docs/recipes.md',
      'docs/recipes/sessions.sql',
      'local/sample/earlier-days.ts',
      'test/recipes.test.ts',
    ]);
    /** It is also a metric of Google Analytics, quoted where it is named, and unquoted only where reports are told of. */
    const aboutReports = inside('functions/reports', 'local/reports', 'infra/views');
    const metric = new RegExp(`(["'\`])${'ses'}sions\\1`, 'g');
    const word = new RegExp(`\\b${'ses'}sions?\\b(?! ids?\\b)`, 'i');
    const found = prose.flatMap((path) =>
      readText(path)
        .split('\n')
        .flatMap((line, index) => {
          const tells =
            (word.test(line.replace(metric, '')) &&
              !aboutSessions.has(path) &&
              !aboutReports(path) &&
              path !== 'test/house.test.ts') ||
            /(?:^|[\s(])#\d+\b/.test(line.replace(/^#+ /, '')) ||
            /(?:^|[\s"'`(=])\/(?:work|root|home|Users)\//.test(line);
          return tells ? [`${path}:${index + 1}: ${line.trim()}`] : [];
        }),
    );
    expect(found).toEqual([]);
  });
});

test('every npm script that a file names exists', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const named = files
    .filter((path) => /\.(ts|md|mjs|yaml|sql|proto)$|^\.ci\//.test(path))
    .flatMap((path) =>
      [...readText(path).matchAll(/\bnpm run (?:--silent )?([a-z][\w:-]*)/g)].map(([, name = '']) => ({
        path,
        name,
      })),
    );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ name }) => !Object.hasOwn(scripts, name))).toEqual([]);
});
