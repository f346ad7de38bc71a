import { describe, expect, test } from 'vitest';
import type { Failure } from '../service.ts';
import { createPropertyState } from './property-state.ts';

const failure = (kind: Failure['kind'], notBefore: Date | null = null): Failure => ({
  kind,
  entityId: '1',
  reason: 'test',
  message: 'as a test has it',
  notBefore,
  alert: true,
});

describe('requests of one property', () => {
  test('run so many at a time, fewer after one was refused for it, and more again with answers', async () => {
    const state = createPropertyState(4, () => 0);
    let running = 0;
    let most = 0;
    const release: (() => void)[] = [];
    const start = (count: number) =>
      Array.from({ length: count }, () =>
        state.within(async () => {
          most = Math.max(most, ++running);
          await new Promise<void>((resolve) => release.push(resolve));
          running--;
        }),
      );
    const finish = async (all: Promise<void>[]) => {
      let done = false;
      const ended = Promise.all(all).then(() => {
        done = true;
      });
      while (!done) {
        release.shift()?.();
        await Promise.resolve();
      }
      await ended;
    };
    await finish(start(12));
    expect(most).toBe(4);
    state.failed('concurrent_requests', failure('transient'));
    most = 0;
    await finish(start(12));
    expect(most).toBe(2);
    for (let answers = 0; answers < 11; answers++) state.answered({ tokensPerDay: 5 });
    most = 0;
    await finish(start(12));
    expect(most).toBe(3);
  });

  test('are put off until the time that the first of them was told, and only that one alerts', () => {
    let now = 0;
    const state = createPropertyState(4, () => now);
    state.failed('tokens_per_day', failure('deferred', new Date(1_000)));
    expect(state.open).toMatchObject({ kind: 'deferred', alert: false });
    now = 1_000;
    expect(state.open).toBeUndefined();
  });

  test('know how many server errors are left: what the API said, less those since', () => {
    const state = createPropertyState(4, () => 0);
    expect(state.serverErrorsLeft).toBeNull();
    state.failed('server_error', failure('transient'));
    expect(state.serverErrorsLeft).toBe(9);
    state.answered({ serverErrorsPerProjectPerHour: 6 });
    expect(state.serverErrorsLeft).toBe(6);
    state.failed('server_error', failure('transient'));
    expect(state.serverErrorsLeft).toBe(5);
  });
});
