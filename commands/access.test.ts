import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chief, type Served, servePermissions } from '../functions/permissions/serve-for-test.ts';

let served: Served;
const folder = mkdtempSync(join(tmpdir(), 'access-'));

beforeAll(async () => {
  served = await servePermissions();
});
afterAll(async () => {
  await served.close();
  rmSync(folder, { recursive: true });
});

async function access(...args: string[]) {
  const child: ChildProcess = spawn(process.execPath, ['commands/access.ts', ...args], {
    env: {
      PATH: process.env.PATH,
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
      PERMISSIONS_URL: served.url,
      ID_TOKEN: await served.token(chief),
      BIGQUERY_PORT: served.stores.environment.LOCAL_BIGQUERY?.split(':')[1],
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    once(child, 'exit') as Promise<[number | null]>,
  ]);
  return { stdout, stderr, code };
}

function write(name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

describe('npm run access', () => {
  test('plan shows what comes, changes and goes, and applies only the plan that was shown', async () => {
    const file = write('request.yaml', [
      '$schema: ../infra/access-request.schema.json',
      'changes:',
      '  - op: grant',
      '    user: [dee@example.com, eva@example.com]',
      '    roles: READ_AND_ANALYZE',
      '    on: accounts/1/properties/*',
      '  - { op: set, user: bob@example.com, roles: [editor], on: properties/11 }',
    ]);
    const shown = await access('plan', file, '--format', 'text');
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout.split('\n').slice(0, 8)).toEqual([
      'accounts/1',
      '  properties/11',
      '    + dee@example.com  viewer',
      '    + eva@example.com  viewer',
      '    ~ bob@example.com  viewer -> editor',
      '  properties/12',
      '    + dee@example.com  viewer',
      '    + eva@example.com  viewer',
    ]);
    const { stdout } = await access('plan', file);
    const planHash = String((JSON.parse(stdout) as { planHash: unknown }).planHash);
    expect(shown.stdout).toContain(planHash);

    const unasked = await access('apply', file);
    expect(unasked).toMatchObject({ code: 1 });
    expect(unasked.stderr).toContain(`--plan-hash ${planHash}`);
    const applied = await access('apply', file, '--plan-hash', planHash);
    expect(applied).toMatchObject({ code: 0 });
    expect(JSON.parse(applied.stdout)).toMatchObject({ kind: 'committed', writes: 3 });
    expect((await access('apply', file, '--yes', '--format', 'text')).stdout).toContain(
      'Nothing is to be changed.',
    );
  });

  test('names the line of the file for each mistake', async () => {
    const file = write('wrong.yaml', [
      'changes:',
      '  - op: grant',
      '    user: dee@example.com',
      '    roles: [viewer, owner]',
      '    on: properties/11',
      '  - op: revoke',
      '    user: bob@',
      '    on: properties/11',
    ]);
    const { code, stderr } = await access('plan', file);
    expect(code).toBe(1);
    expect(
      stderr
        .split('\n')
        .map((line) => line.slice(folder.length + 1))
        .slice(0, 2),
    ).toEqual([
      expect.stringMatching(/^wrong.yaml:4: changes\[0\].roles\[1\]: "owner" is no role/),
      expect.stringMatching(/^wrong.yaml:7: changes\[1\].user: "bob@" is not an e-mail address/),
    ]);
    const broken = write('broken.json', [
      '{',
      '  "changes": [',
      '    { "op": "grant" "user": 1 }',
      '  ]',
      '}',
    ]);
    expect((await access('plan', broken)).stderr).toMatch(/broken.json:3: /);
    expect((await access('plan', join(folder, 'absent.yaml'))).stderr).toContain('cannot be read');
  });

  test('list tells who has access to an account, and remove takes it from somebody everywhere', async () => {
    const listed = await access('list', '1', '--format', 'text');
    expect(listed.stdout).toMatch(/ann@example.com +accounts\/1 +Account 1 +editor \+ no-cost-data/);
    expect(listed.stdout).toMatch(
      /properties\/11 +Property 11 +viewer +editor \+ no-cost-data, by the account/,
    );
    const refused = await access('remove', 'ann@example.com', '--share', '0.1', '--yes');
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stderr).toContain('at most 10% may');
    const removed = await access('remove', 'ann@example.com', '--share', '0.6', '--yes', '--format', 'text');
    expect(removed.stdout).toContain('committed');
    expect(JSON.stringify(served.world.bindings())).not.toContain('ann@example.com');
  });

  test('drift tells what others have changed', async () => {
    await served.call('/snapshot', {});
    served.world.fake.edit.bind('properties/12', 'gus@example.com', ['predefinedRoles/admin']);
    await served.call('/snapshot', {});
    const { stdout, code } = await access('drift', '--format', 'text');
    expect(code).toBe(0);
    expect(stdout).toMatch(/properties\/12 +gus@example.com +nothing +predefinedRoles\/admin/);
  });

  test('says what it does', async () => {
    expect((await access('--help')).stdout).toContain('npm run access -- plan FILE');
  });
});
