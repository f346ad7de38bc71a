import type { Dice } from './cases.ts';

/** An element of a request as JSON text, and whether it is an event that shall be stored. */
export interface Element {
  readonly text: string;
  readonly isEvent: boolean;
}

interface Parts {
  appid: string;
  xwho: string;
  xwhat: string;
  xwhen: string;
  xcontext: string;
}

const quote = (text: string): string => JSON.stringify(text);

const write = (parts: Partial<Parts>): string =>
  `{${Object.entries(parts)
    .map(([key, text]) => `${quote(key)}:${text}`)
    .join(',')}}`;

/** An event without fault; `members` stand in its xcontext after the mark. */
function soundParts(dice: Dice, mark: string, nowMs: number, members = ''): Parts {
  const shared = `"mark":${quote(mark)},"secret":${quote(`sekret-${mark}`)},"$lib":"fuzz","$lib_version":"1.${dice.below(9)}"`;
  return {
    appid: quote(dice.pick(['fuzz', 'fuzz-2', '数据', 'a b'])),
    xwho: quote(`who-${dice.below(1000)}`),
    xwhat: quote(dice.pick(['view_item', 'buy', '浏览', '$pageview', 'has space'])),
    xwhen: `${nowMs - dice.below(86_400_000)}`,
    xcontext: `{${shared}${members === '' ? '' : `,${members}`}}`,
  };
}

const nested = (depth: number, inner = '1'): string =>
  `${'{"a":['.repeat(depth / 2)}${inner}${']}'.repeat(depth / 2)}`;

const hostileKeys = [
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'length',
  'toJSON',
  'then',
  '',
  ' ',
  '$',
  '$$',
  "'; DROP TABLE events; --",
  '键',
  'a.b.c',
  'a"b',
  'back\\slash',
  'new\nline',
  '\u0000',
  '\ud800',
];

/** Members that are odd and nevertheless an event's. */
export const oddMembers: readonly ((dice: Dice) => string)[] = [
  () => '',
  (dice) =>
    hostileKeys
      .filter(() => dice.chance(0.4))
      .map(
        (key) =>
          `${quote(key)}:${dice.pick(['1', '{}', '"x"', 'null', '{"__proto__":{"polluted":true}}', '[]'])}`,
      )
      .join(','),
  () => '"__proto__":{"isAdmin":true,"$is_login":true},"constructor":{"prototype":{"x":1}}',
  (dice) => `"digits":${dice.pick(['', '-'])}${'123456789012345678901234'.slice(0, 15 + dice.below(10))}`,
  () =>
    '"sum":123456789012345678901234,"max":9223372036854775807,"min":-9223372036854775808,"u":18446744073709551615,"over":18446744073709551616',
  () => '"huge":1e400,"tiny":1e-400,"minus":-1e400,"long":0.1234567890123456789012345',
  () => '"zero":-0,"one":1.0,"e":1E5,"f":1.5e+3,"g":5e-324,"h":1.7976931348623157e308',
  (dice) => `"deep":${nested(2 * (1 + dice.below(45)))}`,
  (dice) => `"long":${quote('跑x'.repeat(dice.below(10_000)))}`,
  (dice) => `"cut":${quote(`${'a'.repeat(8180 + dice.below(20))}😀😀`)}`,
  () => '"high":"\\ud83d","low":"\\ude00 x","pair":"\\ud83d\\ude00","wrong":"\\ude00\\ud83d"',
  () => '"\\ud800":1,"\\udc00":2',
  () => '"twice":1,"twice":2,"twice":{"twice":3,"twice":4}',
  () => '"nul":"a\\u0000b","controls":"\\u0001\\u001f\\u007f\\u2028\\ufeff\\ufffe\\uffff"',
  (dice) => Array.from({ length: 90 + dice.below(1500) }, (_, key) => `"k${key}":${key}`).join(','),
  () => '"none":null,"list":[null,[1,[2]],{"a":null}],"empty":{},"nothing":[],"text":""',
  (dice) =>
    `"$debug":${dice.pick(['0', '1', '2', '3', '"1"', '1.0', 'true', '1.00000000000000000000001', 'null'])}`,
  (dice) => `"$is_login":${dice.pick(['true', 'false', '"true"', '1', 'null'])}`,
  (dice) => `"$platform":${dice.pick(['5', 'null', '{}', '"JS"', quote('p'.repeat(9000))])}`,
  () => '"now":"NaN","inf":"Infinity","sql":"\'\\"`;--","html":"<script>alert(1)</script>"',
];

/** Parts that are unlike what SDKs send and nevertheless an event's. */
const oddParts: readonly ((dice: Dice, nowMs: number) => Partial<Parts>)[] = [
  (_dice, nowMs) => ({ xwhen: `${nowMs}.0` }),
  () => ({ xwhen: '1.7952e12' }),
  () => ({ xwhat: quote('名'.repeat(300)) }),
  () => ({ xwhat: quote(' ') }),
  () => ({ xwho: quote('😀'.repeat(255)) }),
  () => ({ xwho: '"\\ud800"' }),
  () => ({ xwho: quote('__proto__'), xwhat: quote('constructor') }),
  () => ({ appid: '"\\u0000"' }),
  () => ({ appid: quote('../../etc/passwd') }),
  () => ({ xwhat: quote('$profile_SET') }),
  (dice) => ({ xwhat: quote(dice.pick(stateNames)) }),
  (dice) => ({ xwhat: quote(dice.pick(stateNames)) }),
  (dice) => ({ xwhat: quote(dice.pick(stateNames)) }),
];

const stateNames = [
  '$alias',
  '$profile_set',
  '$profile_set_once',
  '$profile_increment',
  '$profile_append',
  '$profile_unset',
  '$profile_delete',
];

const wrongId = ['', '""', '5', 'null', 'true', '[]', '{}', quote('x'.repeat(256)), quote('😀'.repeat(256))];

/** Parts no SDK sends: what they replace makes the event none. Empty text leaves the part out. */
const faults: readonly ((dice: Dice, nowMs: number) => Partial<Parts>)[] = [
  (dice) => ({ appid: dice.pick(wrongId) }),
  (dice) => ({ xwho: dice.pick(wrongId) }),
  (dice) => ({ xwhat: dice.pick(['', '""', '5', 'null', 'false', '["buy"]', '{}']) }),
  (dice) => ({
    xwhen: dice.pick([
      '',
      '"1795287685391"',
      'null',
      '1795287685391.5',
      '123456789012345678901234',
      '17952876853910000',
      '-1',
      '0',
      '1e400',
      '1e15',
      'true',
      '[]',
      '{"$numberLong":"1795287685391"}',
    ]),
  }),
  (_dice, nowMs) => ({ xwhen: `${nowMs + 3 * 86_400_000}` }),
  (dice) => ({ xcontext: dice.pick(['', 'null', '[]', '"{}"', '1', 'true', '[{"a":1}]']) }),
  (dice) => ({ xcontext: `{"deep":${nested(2 * (60 + dice.below(200)))}}` }),
];

const noObjects = ['null', '1', '"event"', 'true', '[]', '[[]]', '{}', '[{"appid":"fuzz"}]', '1e999', '-0'];

export function soundElement(dice: Dice, mark: string, nowMs: number): Element {
  return { text: write(soundParts(dice, mark, nowMs)), isEvent: true };
}

/** An element that may be anything, with the truth about it. */
export function anyElement(dice: Dice, mark: string, nowMs: number): Element {
  const parts = soundParts(dice, mark, nowMs, dice.pick(oddMembers)(dice));
  const sort = dice.random();
  if (sort < 0.45) return { text: write(parts), isEvent: true };
  if (sort < 0.65) return { text: write({ ...parts, ...dice.pick(oddParts)(dice, nowMs) }), isEvent: true };
  if (sort < 0.7) return { text: dice.pick(noObjects), isEvent: false };
  if (sort < 0.75) {
    const { xwho, ...others } = parts;
    return { text: `{"__proto__":{"xwho":${xwho}},${write(others).slice(1)}`, isEvent: false };
  }
  const faulty = { ...parts, ...dice.pick(faults)(dice, nowMs) };
  return {
    text: write(Object.fromEntries(Object.entries(faulty).filter(([, text]) => text !== ''))),
    isEvent: false,
  };
}
