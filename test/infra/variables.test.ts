import { globSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROOT, readText } from '../repository-files.ts';
import { leaveOutWhatRepeats, type PreparedInfra, prepareInfra } from './prepare-infra.ts';
import { type StubProvider, startProvider } from './provider/start-provider.ts';
import { hasTerraform, NOT_VERIFIED, runTerraform } from './terraform.ts';

/** Every variable of a file of HCL, with its block. */
const blocksOf = (path: string, kind: 'variable' | 'output') =>
  [...readText(path).matchAll(new RegExp(`^${kind} "(\\w+)" \\{(.*?)^\\}`, 'gms'))].map(
    ([, name = '', block = '']) => ({ path, name, block }),
  );
const hcl = globSync('infra/**/*.tf', { cwd: ROOT }).filter((path) => !path.includes('.terraform/'));
const variables = hcl.flatMap((path) => blocksOf(path, 'variable'));
const ofRoot = variables.filter(({ path }) => path === 'infra/variables.tf');

test('every variable and every output, of infra and of its modules, says what it is', () => {
  expect(variables.length).toBeGreaterThan(70);
  const all = [...variables, ...hcl.flatMap((path) => blocksOf(path, 'output'))];
  const silent = all.filter(({ block }) => !/^ {2}description = ".{8,}\."$/m.test(block));
  expect(silent.map(({ path, name }) => `${path}: ${name}`)).toEqual([]);
  // None is declared in a form that the expression above does not find.
  const written = hcl.flatMap((path) => [...readText(path).matchAll(/^\s*variable "/gm)]);
  expect(written.length).toBe(variables.length);
});

test('null stands for the default wherever there is one', () => {
  const others = ofRoot.filter(
    ({ block }) =>
      /^ {2}default +=/m.test(block) && !/^ {2}(default +=\s*null|nullable += false)$/m.test(block),
  );
  expect(others.map(({ name }) => name)).toEqual([]);
});

/** A value for each of four rounds of planning, and what the error says besides the name; all of a round are wrong at once. */
const wrong: Readonly<Record<string, readonly (readonly [value: unknown, fix: string])[]>> = {
  project: [
    ['', 'gcloud projects list'],
    [null, 'such as my-project-123'],
    ['123456789012', 'neither its name nor its number'],
    ['My Project', 'gcloud projects list'],
  ],
  region: [
    ['', 'such as europe-west1'],
    [null, 'gcloud run regions list'],
    ['europe', 'such as europe-west1'],
    ['europe-west1-b', 'such as europe-west1'],
  ],
  dataset_location: [
    ['', 'EU, US or one region'],
    ['eu', 'EU, US or one region'],
    ['Frankfurt', 'or null for the region'],
  ],
  dataset: [
    ['', 'such as tributary'],
    ['my-project.tributary', 'without a project'],
    ['my-data', 'letters, digits and underscores'],
  ],
  prefix: [
    ['', 'such as tributary'],
    ['Tributary', 'lower case'],
    ['tributary-of-ours', '1 to 12'],
  ],
  operators: [
    [[''], 'such as ann@example.com'],
    [['user:ann@example.com'], 'without user:'],
    [['ann'], 'such as ann@example.com'],
  ],
  instances: [
    [{ ingest: { max: 0 } }, 'max of 1 to 1000'],
    [{ ingest: { min: 5, max: 1 } }, '0 <= min <= max'],
    [{ ingest: { max: 1.5 } }, 'whole numbers'],
    [{ ingst: { max: 2 } }, 'fold, ingest, load'],
  ],
  instance_billed: [
    [[''], 'such as ["ingest", "load"]'],
    [['ingst'], 'or [] to pay by requests'],
    [['load', 'tributary-load'], 'fold, ingest, load'],
  ],
  youtube_credentials: [
    [{ YOUTUBE_NETWORK: 'ya29.secret' }, 'never belongs here'],
    [{ network: '1' }, 'names such as YOUTUBE_NETWORK'],
    [{ '': '1' }, 'names such as YOUTUBE_NETWORK'],
  ],
  event_expiry_days: [
    [0, 'such as 730'],
    [0.5, 'or null to keep all'],
    [-1, 'whole number of days'],
  ],
  spill_expiry_days: [
    [0, '30 or more'],
    [1, 'the only copy'],
    [30.5, 'a whole number'],
  ],
  kms_key: [
    ['', 'projects/P/locations/L/keyRings/R/cryptoKeys/K'],
    ['my-key', 'or null'],
    ['projects/p/locations/us-east1/keyRings/r/cryptoKeys/k/cryptoKeyVersions/1', 'the whole name of a key'],
  ],
  labels: [
    [{ Application: 'x' }, 'lower case letters'],
    [{ '': 'x' }, 'names begin with a letter'],
    [{ team: 'Analytics Team' }, 'such as { team = "analytics" }'],
  ],
  alert_emails: [
    [[''], 'such as oncall@example.com'],
    [['oncall'], 'email addresses'],
  ],
  budget: [
    [{ billing_account: '', amount: 100 }, 'such as 012345-6789AB-CDEF01'],
    [{ billing_account: '012345-6789AB-CDEF01', amount: 0 }, 'an amount of whole units'],
    [{ billing_account: '012345-6789AB-CDEF01', amount: 99.5 }, 'or be null'],
  ],
  pipeline: [
    [{ repository: '', state_bucket: 'my-state' }, 'gcloud builds repositories list'],
    [{ repository: 'https://github.com/o/r', state_bucket: 'my-state' }, 'connections/github/repositories'],
    [
      { repository: 'projects/p/locations/l/connections/c/repositories/r', state_bucket: 'gs://my-state' },
      'without gs://',
    ],
    [
      {
        repository: 'projects/p/locations/l/connections/c/repositories/r',
        state_bucket: 'my-state',
        branch: '^main$',
        approvers: ['x'],
      },
      'it is no expression',
    ],
  ],
};

/** What Terraform itself refuses, by the type. */
const wrongTypes: Readonly<Record<string, readonly [value: unknown, asked: string]>> = {
  stock_framework: ['', 'a bool is required'],
  public_ingest: ['yes', 'a bool is required'],
  settings_optional: [1, 'bool required'],
  deletion_protection: ['never', 'a bool is required'],
  operators: ['ann@example.com', 'set of string required'],
  alert_emails: ['oncall@example.com', 'set of string required'],
  instances: [{ ingest: 5 }, 'object required'],
  instance_billed: ['ingest', 'set of string required'],
  youtube_credentials: ['1', 'map of string required'],
  event_expiry_days: ['a year', 'a number is required'],
  spill_expiry_days: ['a year', 'a number is required'],
  labels: [['tributary'], 'map of string required'],
  budget: [{ amount: 100 }, 'attribute "billing_account" is required'],
  pipeline: [{ repository: 'r' }, 'attribute "state_bucket" is required'],
};

/** Text that is checked where it is used: a folder without archives. */
const byItsUse = ['archives'];

test('every variable that can be wrong is tried with wrong values, and with an empty one', () => {
  const tried = new Set([...Object.keys(wrong), ...Object.keys(wrongTypes), ...byItsUse]);
  expect(ofRoot.map(({ name }) => name).filter((name) => !tried.has(name))).toEqual([]);
  expect([...tried].filter((name) => !ofRoot.some((it) => it.name === name))).toEqual([]);
});

if (hasTerraform()) describe('Terraform refuses', verify);
else {
  test('TERRAFORM NOT VERIFIED', () => {
    process.stderr.write(`\n!!! ${NOT_VERIFIED} !!!\n`);
    expect(hasTerraform()).toBe(false);
  });
}

function verify(): void {
  let provider: StubProvider;
  let infra: PreparedInfra;

  beforeAll(async () => {
    provider = await startProvider();
    infra = prepareInfra();
    leaveOutWhatRepeats(infra.folder);
    await runTerraform(infra.folder, ['init', '-no-color', '-backend=false'], provider);
  });
  afterAll(() => {
    provider?.close();
    infra?.remove();
  });

  /** What is said where these values are given, line ends and frames taken away. */
  async function plan(values: Readonly<Record<string, unknown>>): Promise<{ code: number; said: string }> {
    writeFileSync(join(infra.folder, 'given.tfvars.json'), JSON.stringify(values));
    const args = ['plan', '-no-color', '-input=false', '-lock=false', '-var-file=given.tfvars.json'];
    const { code, errors } = await runTerraform(infra.folder, args, provider);
    return { code, said: errors.replace(/[\s│]+/g, ' ') };
  }

  // By themselves, as rules of others look at them and are not asked where these are wrong.
  const isPlace = (name: string) => ['project', 'region', 'dataset_location'].includes(name);
  test.each(
    [0, 1, 2, 3].flatMap((round) => [
      { round, which: 'place' },
      { round, which: 'other' },
    ]),
  )(
    'wrong and empty values, each with its name and what to write instead: of $which variables, round $round',
    async ({ round, which }) => {
      const tried = Object.entries(wrong).flatMap(([name, values]) => {
        const value = values[round];
        return value === undefined || isPlace(name) !== (which === 'place')
          ? []
          : [[name, ...value] as const];
      });
      const given = Object.fromEntries(tried.map(([name, value]) => [name, value]));
      const { code, said } = await plan({ project: 'my-project', region: 'europe-west1', ...given });
      expect(code).toBe(1);
      for (const [name, , fix] of tried) {
        const message = said
          .split('Error: ')
          .filter((it) => it.includes(` ${name} must `))
          .join(' ');
        expect([name, message]).toEqual([name, expect.stringContaining(fix)]);
      }
    },
  );

  test('values of another type, each with its name and the type', async () => {
    const given = Object.fromEntries(Object.entries(wrongTypes).map(([name, [value]]) => [name, value]));
    const { code, said } = await plan({ project: 'my-project', region: 'europe-west1', ...given });
    expect(code).toBe(1);
    for (const [name, [, asked]] of Object.entries(wrongTypes)) {
      const message = said
        .split('Error: ')
        .filter((it) => it.includes(`var.${name} `))
        .join(' ');
      expect([name, message]).toEqual([name, expect.stringContaining(asked)]);
    }
  });

  test('a repository that is connected in another region, and a key of another one', async () => {
    const { said } = await plan({
      project: 'my-project',
      region: 'europe-west1',
      kms_key: 'projects/p/locations/us-east1/keyRings/r/cryptoKeys/k',
      pipeline: {
        repository: 'projects/p/locations/us-east1/connections/c/repositories/r',
        state_bucket: 'my-state',
      },
    });
    expect(said).toContain('kms_key must be of the region');
    expect(said).toContain('pipeline must have a repository that is connected in the region');
  });

  test('nothing where all that may be empty is, or is null: then the defaults hold', async () => {
    const empty = {
      operators: [],
      alert_emails: [],
      instances: {},
      instance_billed: [],
      youtube_credentials: {},
      labels: {},
      archives: infra.archives,
    };
    const withDefault = ofRoot.filter(({ block }) => /^ {2}default +=/m.test(block)).map(({ name }) => name);
    const none = Object.fromEntries(withDefault.map((name) => [name, null]));
    const { code, said } = await plan({ ...none, ...empty, project: 'my-project', region: 'europe-west1' });
    expect([code, said]).toEqual([0, '']);
  });

  test('nothing that infra/tests asserts, and what these must see refused', async () => {
    const archives = `-var=archives=${infra.archives}`;
    const { code, output, errors } = await runTerraform(
      infra.folder,
      ['test', '-no-color', archives],
      provider,
    );
    expect([code, errors]).toEqual([0, '']);
    expect(output).toMatch(/^Success! \d+ passed, 0 failed\.$/m);
    // Three plans in one.
  }, 300_000);
}
