import type { Reporting } from './route.ts';

/** How requests are made and repeated: what every collector that sends takes. Times are milliseconds. */
export interface DeliveryOptions extends Reporting {
  /** The server's base, as `https://collect.example.com`; routes add `/up` and the like. */
  readonly url: string;
  /** Requests, and so sockets, at once: 1 to 6, 4 by default. 1 keeps the order of what one process hands over. */
  readonly connections?: number;
  /** Until the last byte of the answer: 10,000 by default. */
  readonly requestTimeoutMs?: number;
  /** False accepts any certificate: for tests against a server of your own only. True by default. */
  readonly verifyCertificate?: boolean;
  /** Attempts after the first, before events are reported undelivered. Each collector has its own default. */
  readonly retryLimit?: number;
  /** Before attempt n + 1 a random time passes, of at most `backoffMs * 2 ** n`: 100 by default. */
  readonly backoffMs?: number;
  /** The longest such time: 30,000 by default. */
  readonly backoffCeilingMs?: number;
  /** The longest that a `Retry-After` of the server is obeyed: 300,000 by default. */
  readonly retryAfterCeilingMs?: number;
}

/** The longest that a timer of Node waits; beyond that it fires at once. */
export const longestTimer = 2 ** 31 - 1;

/** The same with every default filled in. */
export interface DeliverySettings {
  readonly url: URL;
  readonly connections: number;
  readonly requestTimeoutMs: number;
  readonly verifyCertificate: boolean;
  readonly retryLimit: number;
  readonly backoffMs: number;
  readonly backoffCeilingMs: number;
  readonly retryAfterCeilingMs: number;
  /** Whether waiting for the next attempt keeps the process alive. */
  readonly keepsAlive: boolean;
}

/** Throws a TypeError or RangeError that names the option which cannot be. */
export function readDeliveryOptions(
  options: DeliveryOptions,
  defaults: { readonly retryLimit: number; readonly keepsAlive: boolean },
): DeliverySettings {
  return {
    url: readUrl(options.url),
    connections: readCount(options, 'connections', 4, 1, 6),
    requestTimeoutMs: readCount(options, 'requestTimeoutMs', 10_000, 1, longestTimer),
    verifyCertificate: options.verifyCertificate ?? true,
    retryLimit: readCount(options, 'retryLimit', defaults.retryLimit, 0),
    backoffMs: readCount(options, 'backoffMs', 100, 0, longestTimer),
    backoffCeilingMs: readCount(options, 'backoffCeilingMs', 30_000, 0, longestTimer),
    retryAfterCeilingMs: readCount(options, 'retryAfterCeilingMs', 300_000, 0, longestTimer),
    keepsAlive: defaults.keepsAlive,
  };
}

/** An option of at least `least` and at most `most`; throws a RangeError that names it otherwise. */
export function readCount<Option extends string>(
  options: { readonly [Key in Option]?: number },
  option: Option,
  byDefault: number,
  least: number,
  most = Infinity,
): number {
  const value = options[option] ?? byDefault;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  const range = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  throw new RangeError(`${option} is ${String(value)}; it must be ${range}`);
}

function readUrl(url: string): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.protocol === 'http:' || parsed?.protocol === 'https:') return parsed;
  throw new TypeError(`url is ${JSON.stringify(url)}; it must begin with http:// or https://`);
}
