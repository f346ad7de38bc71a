import type { Mode } from './sink-messages.ts';

export interface Scenario {
  readonly name: string;
  readonly tells: string;
  /** Of the whole; `--scale` is applied. */
  readonly events: number;
  readonly mode: Mode;
  /**
   * `paced`: at most 2,000 events that the sink has not seen. `burst`: one synchronous loop, with the sender's defaults.
   * `outage`: half of them, then the sink goes for 10 s, and the others. `killed`: `kill -9` at half, and a second process
   * goes on with the spool.
   */
  readonly plan: 'paced' | 'burst' | 'outage' | 'killed';
}

const healthy: Mode = { kind: 'healthy' };

export const scenarios: readonly Scenario[] = [
  { name: 'healthy', tells: 'paced, all answers 200', events: 100_000, mode: healthy, plan: 'paced' },
  {
    name: 'fail20',
    tells: 'paced, every 5th answer 500 and nothing of it stored',
    events: 20_000,
    mode: { kind: 'fail', every: 5 },
    plan: 'paced',
  },
  {
    name: 'stored500',
    tells: 'paced, every 5th request stored and then answered 500',
    events: 20_000,
    mode: { kind: 'stored_then_fail', every: 5 },
    plan: 'paced',
  },
  {
    name: 'burst',
    tells: 'one loop with defaults, then shutdown',
    events: 100_000,
    mode: healthy,
    plan: 'burst',
  },
  { name: 'exit', tells: '5,000 in one loop, shutdown, exit', events: 5_000, mode: healthy, plan: 'burst' },
  {
    name: 'exitfail',
    tells: 'the same while every 5th answer is 500',
    events: 5_000,
    mode: { kind: 'fail', every: 5 },
    plan: 'burst',
  },
  { name: 'down', tells: 'the sink is away for 10 s mid-way', events: 20_000, mode: healthy, plan: 'outage' },
  {
    name: 'killed',
    tells: 'kill -9 mid-way, a second process goes on',
    events: 20_000,
    mode: healthy,
    plan: 'killed',
  },
];
