import { createRandom } from '../random.ts';
import { blind } from './blind.ts';
import { blindOthers } from './blind-others.ts';
import { createDice, type Family, type FuzzDialect } from './cases.ts';
import { growingio } from './growingio.ts';
import { growingioBroken } from './growingio-broken.ts';
import { segment } from './segment.ts';
import { strain } from './strain.ts';
import { structured } from './structured.ts';
import { transport } from './transport.ts';
import { tributary } from './tributary.ts';

/** How often it comes beside the others of its list. */
export type WeighedFamily = readonly [weight: number, family: Family];

const families: Readonly<Record<FuzzDialect, readonly WeighedFamily[]>> = {
  analysys: [...structured, ...strain, ...transport, ...blind],
  growingio: [...growingio, ...growingioBroken, ...blindOthers.growingio],
  segment: [...segment, ...blindOthers.segment],
  tributary: [...tributary, ...blindOthers.tributary],
};

const fuzzDialects: readonly FuzzDialect[] = ['analysys', 'growingio', 'segment', 'tributary'];

export function dialectNamed(name: string): FuzzDialect {
  const found = fuzzDialects.find((one) => one === name);
  if (found === undefined) throw new Error(`There are ${fuzzDialects.join(', ')}, and no ${name}.`);
  return found;
}

/** The families of the dialects, of which each has the same share; only those that make cases of a name, where one is given. */
export function familiesOf(
  dialects: readonly FuzzDialect[] = fuzzDialects,
  only: string | undefined,
): readonly WeighedFamily[] {
  const all = dialects.flatMap((dialect) => {
    const sum = families[dialect].reduce((before, [weight]) => before + weight, 0);
    return families[dialect].map(([weight, family]): WeighedFamily => [weight / sum, family]);
  });
  if (only === undefined) return all;
  // A few tries tell, since a family has few names.
  const context = { dice: createDice(createRandom(1)), mark: '0', nowMs: Date.now() };
  const found = all.filter(([, family]) =>
    Array.from({ length: 10 }, () => family(context).family).some((name) => name.includes(only)),
  );
  if (found.length === 0) throw new Error(`No family makes requests that are called ${only}.`);
  return found;
}
