import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type StorageServer, startStorage } from '../../../local/storage/index.ts';
import { listFiles, ROOT, readText } from '../../repository-files.ts';
import { leaveOutWhatRepeats, operatorsOwn } from '../prepare-infra.ts';
import { type StubProvider, startProvider } from '../provider/start-provider.ts';
import { hasTerraform, NOT_VERIFIED } from '../terraform.ts';
import { type Build, readBuild } from './read-build.ts';
import { type RanStep, runSteps, type Surroundings, substitute } from './run-build.ts';

const pullRequest = readBuild('cloudbuild.pull-request.yaml');
const main = readBuild('cloudbuild.yaml');
const apply = readBuild('cloudbuild.apply.yaml');
const stepsOf = (build: Build, ...ids: string[]) => build.steps.filter(({ id }) => ids.includes(id ?? ''));

describe('what a build tests', () => {
  const commandsOf = (build: Build) =>
    build.steps.flatMap(({ entrypoint, args, script }) => [
      ...(entrypoint === 'npm' ? [`npm ${args?.join(' ')}`] : []),
      ...[...(script ?? '').matchAll(/^npm .*$/gm)].map(([it]) => it),
    ]);

  test('are the commands of README.md and of .ci/run, on Node 24, and then the archives are built', () => {
    const inScript = [...readText('.ci/run').matchAll(/^(npm \w+)/gm)].map((match) => match[1] ?? '');
    expect(readText('README.md')).toContain(`\n${inScript.join(' && ')}\n`);
    for (const build of [pullRequest, main]) {
      expect(commandsOf(build)).toEqual([...inScript, 'npm run build']);
      const onNode = build.steps.filter(
        ({ entrypoint, script }) => entrypoint === 'npm' || script?.includes('\nnpm '),
      );
      expect(new Set(onNode.map(({ name }) => name))).toEqual(new Set(['node:24']));
    }
  });

  test('is the same for a pull request and for main, but that main saves its plan', () => {
    const [ofPullRequest, ofMain] = [pullRequest, main].map(({ steps }) =>
      steps
        .filter(({ id }) => id !== 'save')
        .map((step) => ({ ...step, script: step.script?.replace(' -out=it.tfplan', '') })),
    );
    expect(ofPullRequest).toEqual(ofMain);
  });
});

if (hasTerraform())
  describe('the steps, run in a copy of the repository against a local Cloud Storage', verify);
else {
  test('TERRAFORM NOT VERIFIED', () => {
    process.stderr.write(`\n!!! ${NOT_VERIFIED} !!!\n`);
    expect(hasTerraform()).toBe(false);
  });
}

function verify(): void {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-builds-'));
  const tools = join(folder, 'tools');
  const bin = join(folder, 'bin');
  const npmCalls = join(folder, 'npm-calls');
  const commit = 'c0ffee';
  const files = listFiles();
  let storage: StorageServer;
  let provider: StubProvider;
  let planned: RanStep[];

  beforeAll(async () => {
    [storage, provider] = await Promise.all([startStorage({ port: 0, file: ':memory:' }), startProvider()]);
    for (const name of ['my-project-terraform', 'my-project-tributary-plans']) await makeBucket(name);
    mkdirSync(tools);
    mkdirSync(bin);
    writeFileSync(join(bin, 'npm'), standInForNpm(), { mode: 0o755 });
    writeFileSync(join(bin, 'gcloud'), standInForGcloud, { mode: 0o755 });
    const workspace = checkOut('main', /^(functions|infra|scripts|sdk|shared|LICENSE|[^/]+\.json$)/);
    planned = await runSteps(main.steps, main, around(workspace));
    const failed = planned.find(({ code }) => code !== 0);
    if (failed !== undefined) throw new Error(`${failed.id} ended with ${failed.code}:\n${failed.log}`);
    await uploadArtifacts(main, workspace);
    // It builds every archive.
  }, 300_000);
  afterAll(async () => {
    provider?.close();
    await storage?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  test('of main end well: install, test, build, a plan that is saved with its archives', () => {
    expect(planned.map(({ id }) => id)).toEqual(['terraform', 'install', 'test', 'build', 'plan', 'save']);
    // With the Terraform of the volume first in its PATH.
    expect(readFileSync(npmCalls, 'utf8').trim().split('\n')).toEqual([
      'ci',
      `test with ${tools}/terraform`,
      'run build',
    ]);
    expect(planned.find(({ id }) => id === 'plan')?.log).toMatch(
      /Plan: \d+ to add, 0 to change, 0 to destroy/,
    );
  });

  test('of a pull request plan against the same state, and leave neither a lock nor a plan', async () => {
    const workspace = checkOut('pull-request');
    cpSync(join(folder, 'main/dist'), join(workspace, 'dist'), { recursive: true });
    const [ran] = await runSteps(stepsOf(pullRequest, 'plan'), pullRequest, around(workspace));
    expect(ran).toMatchObject({ code: 0, log: expect.stringContaining('Plan: ') });
    expect(existsSync(join(workspace, 'infra/it.tfplan'))).toBe(false);
    expect(await listObjects('my-project-terraform')).toEqual(['tributary/default.tfstate']);
  });

  test('without variables in the commit stop before Terraform, with what to do', async () => {
    const workspace = checkOut('without-variables');
    rmSync(join(workspace, 'infra/terraform.tfvars'));
    const [ran] = await runSteps(stepsOf(pullRequest, 'plan'), pullRequest, around(workspace));
    expect(ran).toEqual({
      id: 'plan',
      code: 1,
      log: expect.stringContaining('git add --force infra/terraform.tfvars'),
    });
  });

  test('of an approval apply the saved plan, from a new checkout, and only once', async () => {
    const first = await runSteps(apply.steps, apply, around(checkOut('apply')));
    expect(first.map(({ id, code }) => [id, code])).toEqual([
      ['fetch', 0],
      ['apply', 0],
    ]);
    const adding = /Plan: (\d+) to add/.exec(planned.find(({ id }) => id === 'plan')?.log ?? '')?.[1];
    expect(first.at(-1)?.log).toContain(
      `Apply complete! Resources: ${adding} added, 0 changed, 0 destroyed.`,
    );
    const again = await runSteps(apply.steps, apply, around(checkOut('again')));
    expect(again.at(-1)).toMatchObject({
      id: 'apply',
      code: 1,
      log: expect.stringContaining('Saved plan is stale'),
    });
  });

  test('of an approval without a plan of the commit say so, and apply nothing', async () => {
    const ran = await runSteps(apply.steps, apply, around(checkOut('no-plan'), 'decade'));
    expect(ran).toMatchObject([
      { id: 'fetch', code: 1, log: expect.stringContaining('There is no plan of decade') },
    ]);
  });

  function around(workspace: string, sha = commit): Surroundings {
    return {
      workspace,
      substitutions: { PROJECT_ID: 'my-project', COMMIT_SHA: sha },
      paths: { '/tools': tools, '/bin/terraform': whereIs('terraform') },
      environment: {
        PATH: [bin, process.env.PATH].join(delimiter),
        HOME: folder,
        NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
        CHECKPOINT_DISABLE: '1',
        GOGC: '400',
        TF_CLI_CONFIG_FILE: '/dev/null',
        // The backend's own client of Cloud Storage, which is Google's for Go.
        STORAGE_EMULATOR_HOST: `127.0.0.1:${storage.port}`,
        GOOGLE_OAUTH_ACCESS_TOKEN: 'none',
        ...provider.environment,
      },
    };
  }

  /** A commit of an operator: the repository, with variables, and few of the views, of which a plan takes long. */
  function checkOut(name: string, wanted = /^infra\//): string {
    const workspace = join(folder, name);
    for (const path of files) {
      if (wanted.test(path) && !operatorsOwn.test(`/${path}`))
        cpSync(join(ROOT, path), join(workspace, path));
    }
    leaveOutWhatRepeats(join(workspace, 'infra'));
    cpSync(join(ROOT, 'infra/examples/minimal/terraform.tfvars'), join(workspace, 'infra/terraform.tfvars'));
    symlinkSync(join(ROOT, 'node_modules'), join(workspace, 'node_modules'));
    return workspace;
  }

  /** npm ci needs the network and npm test would run this test: they are written down. All else is npm itself. */
  function standInForNpm(): string {
    return `#!/usr/bin/env bash
case $1 in
  test) echo "test with $(command -v terraform)" >> '${npmCalls}' ;;
  *) echo "$*" >> '${npmCalls}' ;;
esac
case $1 in
  ci | test) ;;
  *) PATH='${dirname(process.execPath)}':$PATH exec '${whereIs('npm')}' "$@" ;;
esac
`;
  }

  async function makeBucket(name: string): Promise<void> {
    const made = await fetch(`http://127.0.0.1:${storage.port}/storage/v1/b?project=my-project`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ name }),
    });
    expect(made.status).toBe(200);
  }

  async function listObjects(bucket: string): Promise<string[]> {
    const answer = await fetch(`http://127.0.0.1:${storage.port}/storage/v1/b/${bucket}/o`);
    const { items = [] } = (await answer.json()) as { items?: { name: string }[] };
    return items.map(({ name }) => name);
  }

  /** What Cloud Build does after the last step. */
  async function uploadArtifacts(build: Build, workspace: string): Promise<void> {
    const { location = '', paths = [] } = build.artifacts?.objects ?? {};
    const filled = (it: string) => substitute(it, build, around(workspace).substitutions);
    for (const path of paths.map(filled)) {
      const bucket = filled(location).replace('gs://', '');
      const url = `http://127.0.0.1:${storage.port}/upload/storage/v1/b/${bucket}/o?uploadType=media&name=${path}`;
      const sent = await fetch(url, {
        method: 'POST',
        body: new Uint8Array(readFileSync(join(workspace, path))),
      });
      expect(sent.status).toBe(200);
    }
  }
}

const whereIs = (program: string): string => execFileSync('which', [program], { encoding: 'utf8' }).trim();

/** Fetches from the local Cloud Storage: `gcloud storage cp gs://BUCKET/OBJECT FILE` and nothing else. */
const standInForGcloud = `#!${process.execPath}
const { writeFileSync } = require('node:fs');
const [, , storage, cp, from, to] = process.argv;
if (storage !== 'storage' || cp !== 'cp' || !from.startsWith('gs://')) process.exit(2);
fetch('http://' + process.env.STORAGE_EMULATOR_HOST + '/' + from.slice(5)).then(async (answer) => {
  if (!answer.ok) process.exit(1);
  writeFileSync(to, new Uint8Array(await answer.arrayBuffer()));
});
`;
