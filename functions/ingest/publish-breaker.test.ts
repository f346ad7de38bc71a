import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Admission, admit, type Breaker, closedBreaker, isOpen, settle } from './publish-breaker.ts';

type Sent = { readonly admission: Exclude<Admission, 'spill'>; readonly at: number };
type Step =
  | { readonly kind: 'message' }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'settle'; readonly index: number; readonly isAcknowledged: boolean };

const step = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.constant({ kind: 'message' }),
  fc.record({ kind: fc.constant('pass'), ms: fc.integer({ min: 1, max: 2500 }) }),
  fc.record({
    kind: fc.constant('settle'),
    index: fc.nat({ max: 20 }),
    isAcknowledged: fc.boolean(),
  }),
);

interface Run {
  readonly breaker: Breaker;
  readonly now: number;
  readonly underWay: readonly Sent[];
}

/** Lives through the steps, and shows each moment to `look` together with what the step did. */
function live(
  steps: readonly Step[],
  look: (before: Run, after: Run, did: { admission?: Admission; settled?: Sent }) => void,
) {
  let run: Run = { breaker: closedBreaker, now: 0, underWay: [] };
  for (const one of steps) {
    const before = run;
    if (one.kind === 'pass') {
      run = { ...run, now: run.now + one.ms };
      look(before, run, {});
    } else if (one.kind === 'message') {
      const { breaker, admission } = admit(run.breaker, run.now);
      const sent = admission === 'spill' ? [] : [{ admission, at: run.now }];
      run = { ...run, breaker, underWay: [...run.underWay, ...sent] };
      look(before, run, { admission });
    } else {
      const settled = run.underWay[one.index % Math.max(1, run.underWay.length)];
      if (settled === undefined) continue;
      run = {
        ...run,
        breaker: settle(run.breaker, settled.admission, one.isAcknowledged, run.now),
        underWay: run.underWay.filter((sent) => sent !== settled),
      };
      look(before, run, { settled });
    }
  }
}

const probes = ({ underWay }: Run) => underWay.filter(({ admission }) => admission === 'probe').length;
const steps = fc.array(step, { maxLength: 60 });

test('while it is closed every message is published', () => {
  fc.assert(
    fc.property(steps, (all) =>
      live(all, (before, _, { admission }) => {
        if (admission !== undefined && !isOpen(before.breaker)) expect(admission).toBe('publish');
      }),
    ),
  );
});

test('while it is open nothing is published but one probe at a time, a second after the trouble or the last probe', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let troubleAt = Number.NEGATIVE_INFINITY;
      live(all, (before, after, { admission, settled }) => {
        expect(probes(after)).toBeLessThanOrEqual(1);
        if (settled !== undefined && isOpen(after.breaker) && before.breaker !== after.breaker)
          troubleAt = after.now;
        if (admission === undefined || !isOpen(before.breaker)) return;
        expect(admission).not.toBe('publish');
        const isDue = probes(before) === 0 && before.now >= troubleAt + 1000;
        expect(admission).toBe(isDue ? 'probe' : 'spill');
      });
    }),
  );
});

test('it opens with the first message that is not acknowledged, and is closed by nothing but a probe that is', () => {
  fc.assert(
    fc.property(steps, (all) =>
      live(all, (before, after, { settled }) => {
        if (!isOpen(before.breaker) && isOpen(after.breaker)) expect(settled).toBeDefined();
        if (isOpen(before.breaker) && !isOpen(after.breaker)) expect(settled?.admission).toBe('probe');
      }),
    ),
  );
  expect(isOpen(settle(closedBreaker, 'publish', false, 0))).toBe(true);
  expect(isOpen(settle({ kind: 'probing' }, 'probe', true, 0))).toBe(false);
  expect(isOpen(settle({ kind: 'open', probeAt: 5 }, 'publish', true, 0))).toBe(true);
});

test('whatever happened, once Pub/Sub acknowledges again a message closes it within a second', () => {
  fc.assert(
    fc.property(steps, (all) => {
      let end: Run = { breaker: closedBreaker, now: 0, underWay: [] };
      live(all, (_, after) => {
        end = after;
      });
      let { breaker, now } = end;
      for (const { admission } of end.underWay) breaker = settle(breaker, admission, true, now);
      now += 1000;
      const next = admit(breaker, now);
      expect(next.admission).not.toBe('spill');
      if (next.admission !== 'spill') breaker = settle(next.breaker, next.admission, true, now);
      expect(isOpen(breaker)).toBe(false);
    }),
  );
});
