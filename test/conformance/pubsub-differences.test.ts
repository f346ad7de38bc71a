import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { readText } from '../repository-files.ts';
import { cases } from './pubsub/cases.ts';
import { differencesPage, withoutPadding, withTable } from './pubsub/differences-table.ts';
import { differences } from './pubsub-differences.ts';

describe('the list of differences', () => {
  const documented = new Map(cases.map((one) => [one.name, one.documented]));

  test('is of cases, each of which has a name of its own', () => {
    expect(documented.size).toBe(cases.length);
    expect(Object.keys(differences).filter((name) => !documented.has(name))).toEqual([]);
  });

  test('holds nothing that is documented', () => {
    const needless = Object.entries(differences).flatMap(([name, { google, ours }]) => {
      const listed = [google, ours].filter((one) => one !== undefined);
      const isDifferent =
        listed.length > 0 && listed.every((one) => !isDeepStrictEqual(one, documented.get(name)));
      return isDifferent ? [] : [name];
    });
    expect(needless).toEqual([]);
  });

  test('lets the local Pub/Sub do nothing else than refuse: whatever it answers, it answers as documented', () => {
    const isRefusal = (text: unknown) =>
      typeof text === 'string' && /^UNIMPLEMENTED: .*\bimplement (the method )?\S+/.test(text);
    const lenient = Object.entries(differences).filter(([, { ours }]) => {
      if (ours === undefined || isRefusal(ours)) return false;
      return typeof ours !== 'object' || ours === null || !Object.values(ours).every(isRefusal);
    });
    expect(lenient).toEqual([]);
  });

  test(`is what ${differencesPage} shows`, () => {
    const page = readText(differencesPage);
    expect(withoutPadding(withTable(page))).toBe(withoutPadding(page));
  });
});
