import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { readText } from '../../test/repository-files.ts';
import { readRequest } from './read-request.ts';

const anything = { domains: undefined, strongestRole: 'admin' } as const;
const guide = readText('docs/access.md');
const requests = [...guide.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text);

test('every request of the guide is one', () => {
  expect(requests.length).toBe(5);
  for (const text of requests) expect(readRequest(parse(text), anything)).toMatchObject({ kind: 'valid' });
});

test.each([
  ['viewer', 'READ_AND_ANALYZE'],
  ['viewer', 'predefinedRoles/read'],
  ['viewer', ' Viewer '],
  ['analyst', 'predefinedRoles/collaborate'],
  ['editor', 'EDIT'],
  ['admin', 'predefinedRoles/manage-users'],
  ['no-cost-data', 'predefinedRoles/no-cost-data'],
])('the role %s is also named %s', (role, name) => {
  const read = readRequest(
    { changes: [{ op: 'set', user: 'a@b.cd', roles: name, on: 'accounts/1' }] },
    anything,
  );
  expect(read).toMatchObject({ kind: 'valid', request: { statements: [{ wish: { roles: [role] } }] } });
});

test.each([
  ['accounts/1', { kind: 'parent', parent: 'accounts/1' }],
  ['properties/2', { kind: 'parent', parent: 'properties/2' }],
  ['accounts/1/properties/2', { kind: 'parent', parent: 'properties/2' }],
  [{ property: 2 }, { kind: 'parent', parent: 'properties/2' }],
  [
    { account: '1', properties: '*' },
    { kind: 'properties', account: 'accounts/1' },
  ],
  ['accounts/1/properties/*', { kind: 'properties', account: 'accounts/1' }],
  ['ga:77', { kind: 'parent', parent: 'properties/9' }],
  [{ view: 77 }, { kind: 'parent', parent: 'properties/9' }],
  ['accounts/1/webproperties/UA-1-2/profiles/77', { kind: 'parent', parent: 'properties/9' }],
])('a line may be about %j', (on, place) => {
  const body = { views: { 'ga:77': 9 }, changes: [{ op: 'grant', user: 'a@b.cd', roles: 'viewer', on }] };
  expect(readRequest(body, anything)).toMatchObject({ kind: 'valid', request: { statements: [{ place }] } });
});

test.each([
  ['grants of two roles make one', ['grant viewer', 'grant editor'], undefined],
  ['the same twice is the same', ['set viewer', 'set viewer'], undefined],
  [
    'two settings contradict',
    ['set viewer', 'set editor'],
    /set editor contradicts changes\[0\], set viewer/,
  ],
  [
    'giving and taking contradict',
    ['grant viewer', 'revoke'],
    /revoke contradicts changes\[0\], grant viewer/,
  ],
  [
    'taking everywhere contradicts giving anywhere',
    ['revokeEverywhere', 'grant viewer'],
    /contradicts changes\[0\], revoke/,
  ],
])('%s', (_, lines, reason) => {
  const changes = lines.map((line) => {
    const [op, roles] = line.split(' ');
    return {
      op,
      user: 'a@b.cd',
      ...(roles && { roles }),
      ...(op !== 'revokeEverywhere' && { on: 'properties/1' }),
    };
  });
  const read = readRequest({ changes }, anything);
  if (reason === undefined) expect(read.kind).toBe('valid');
  else expect(JSON.stringify(read)).toMatch(reason);
});

test('an account whose members are all named is named once', () => {
  const entry = {
    on: 'properties/1',
    ownership: 'exclusive',
    members: [{ user: 'a@b.cd', roles: 'viewer' }],
  };
  expect(
    readRequest({ desired: [entry, { ...entry, on: ['properties/2', 'properties/1'] }] }, anything),
  ).toMatchObject({
    kind: 'invalid',
    problems: expect.arrayContaining([
      { line: 'desired[1]', reason: 'properties/1 is decided by desired[0], which is exclusive' },
    ]),
  });
});
