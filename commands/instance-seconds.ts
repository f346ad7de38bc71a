/** `request`: an instance costs while it works on a request, and each request costs. `instance`: it costs while it is there. */
export type Billing = 'request' | 'instance';

export interface FunctionLoad {
  /** In a month. */
  readonly requests: number;
  /** What a request waits for Google, and the CPU that it takes. */
  readonly waitMs: number;
  readonly cpuMicros: number;
  /** vCPU of an instance, and the requests that it may have at once. */
  readonly cpu: number;
  readonly limit: number;
  /** How many instances there are for one that would do. */
  readonly spread: number;
  /** The steps in which the time of a request is billed: cloud.google.com/run/pricing. */
  readonly stepMs: number;
  readonly billing: Billing;
  /** Requests that share a billed second; undefined where it follows from the traffic. */
  readonly concurrency: number | undefined;
}

export const secondsPerMonth = (365 / 12) * 24 * 3600;

/** Three quarters of the requests come in half of the hours. */
const halves = [0.75, 0.25];
/** What Cloud Run keeps instances at, of their CPU and of their requests: cloud.google.com/run/docs/about-instance-autoscaling */
const target = 0.6;
/** An instance stays so long without a request, at most: cloud.google.com/run/docs/container-contract */
const idleSeconds = 900;

/**
 * Seconds of instances that Cloud Run bills for a month of requests.
 *
 * An instance is billed while at least one request is under way, so requests that come together share. Of requests that
 * come by chance, `rate` a second, each of them billed `s` seconds, an instance is busy for a share of 1 - e^(-rate s) of
 * the time (the busy time of a queue M/G/infinity): few requests share nothing, and many cost no more than the instance.
 */
export function instanceSeconds(load: FunctionLoad): number {
  const { requests, concurrency, cpuMicros, cpu } = load;
  const least = (requests * cpuMicros) / 1e6 / cpu;
  if (concurrency !== undefined) return Math.max((requests * billedSeconds(load)) / concurrency, least);
  const busy = halves.reduce((total, share) => {
    const seconds = secondsPerMonth * (1 / halves.length);
    const rate = (requests * share) / seconds;
    const instances = instancesFor(load, rate);
    const held = load.billing === 'request' ? billedSeconds(load) : idleSeconds;
    return total + seconds * instances * (1 - Math.exp((-rate * held) / instances));
  }, 0);
  return Math.max(busy, least);
}

/** The formula with its numbers, for `--explain`. */
export function describeInstances(load: FunctionLoad): string {
  const seconds = instanceSeconds(load);
  const show = (value: number) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
  if (load.billing === 'instance' && load.concurrency === undefined) {
    return `${show(seconds / secondsPerMonth)} instances all month = ${show(seconds)} s`;
  }
  const shared = (load.requests * billedSeconds(load)) / seconds;
  return (
    `${show(load.requests)} requests x ${show(billedSeconds(load))} s (${show(requestMs(load))} ms in steps of ${load.stepMs}) ` +
    `/ ${show(shared)} at once = ${show(seconds)} s`
  );
}

const requestMs = ({ waitMs, cpuMicros, cpu }: FunctionLoad): number =>
  waitMs + cpuMicros / 1000 / Math.min(cpu, 1);

const billedSeconds = (load: FunctionLoad): number =>
  (Math.ceil(requestMs(load) / load.stepMs) * load.stepMs) / 1000;

function instancesFor(load: FunctionLoad, rate: number): number {
  const byCpu = (rate * load.cpuMicros) / 1e6 / (load.cpu * target);
  const byRequests = (rate * requestMs(load)) / 1000 / (load.limit * target);
  return Math.max(1, Math.ceil(byCpu), Math.ceil(byRequests)) * load.spread;
}
