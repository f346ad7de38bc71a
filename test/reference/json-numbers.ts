/** A JSON value in which 1 is not 1.0: integers of up to 64 bits are bigints, all other numbers are doubles. */
export type Json = null | boolean | string | number | bigint | Json[] | { [key: string]: Json };

/** Reads JSON without losing a digit of an integer. */
export function readJson(text: string): Json {
  return JSON.parse(text, (_: string, value: Json, context?: { source: string }) =>
    typeof value === 'number' ? readNumeral(context!.source) : value,
  );
}

/** Writes JSON such that `readJson` reads the same; members are in the order of their names. */
export function writeJson(value: Json): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return /[.e]/.test(String(value)) ? String(value) : `${value}.0`;
  if (Array.isArray(value)) return `[${value.map(writeJson).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const members = Object.keys(value).sort(bytewise);
  return `{${members.map((name) => `${JSON.stringify(name)}:${writeJson(value[name]!)}`).join(',')}}`;
}

/** In 10^-9, halves rounded away from zero; undefined for what is no number or is 10^29 or more. */
export function scaledAmount(value: Json): bigint | undefined {
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const [, sign, whole, fraction = '', exponent = '0'] = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/.exec(
    String(value),
  )!;
  const places = 9 + Number(exponent) - fraction.length;
  if (places > 100) return undefined;
  const digits = BigInt(`${whole}${fraction}`);
  const scaled = places >= 0 ? digits * 10n ** BigInt(places) : roundHalfUp(digits, 10n ** BigInt(-places));
  if (scaled >= 10n ** 38n) return undefined;
  return sign === '-' ? -scaled : scaled;
}

/** A sum in 10^-9 as JSON has it: an integer where it is one of 64 bits, else the nearest double. */
export function numberOfSum(scaled: bigint): Json {
  const sign = scaled < 0n ? '-' : '';
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(10, '0');
  const fraction = digits.slice(-9).replace(/0+$/, '');
  return readNumeral(`${sign}${digits.slice(0, -9)}${fraction && `.${fraction}`}`);
}

/** The order of the bytes of UTF-8. */
export const bytewise = (left: string, right: string): number =>
  Buffer.compare(Buffer.from(left), Buffer.from(right));

function readNumeral(numeral: string): bigint | number {
  if (/[.eE]/.test(numeral)) return Number(numeral);
  const integer = BigInt(numeral);
  return integer >= -(2n ** 63n) && integer < 2n ** 64n ? integer : Number(numeral);
}

const roundHalfUp = (digits: bigint, unit: bigint): bigint => (digits * 2n + unit) / (unit * 2n);
