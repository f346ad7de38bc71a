import type { Outcome } from './deliver.ts';
import type { DeliveryTrouble, Reporting } from './route.ts';

export interface Reporter {
  report(route: string, outcomes: readonly Outcome[]): void;
  trouble(trouble: DeliveryTrouble): void;
}

/** Calls the caller's callbacks, whose own errors must not stop the delivery. Nothing is lost in silence without them. */
export function createReporter({ onDelivery = warnOfLoss, onError = warnOfDisk }: Reporting): Reporter {
  const trouble = (given: DeliveryTrouble) => {
    try {
      onError(given);
    } catch (error) {
      process.emitWarning(`onError threw ${String(error)}`, { type: 'TributarySdk' });
    }
  };
  return {
    trouble,
    report: (route, outcomes) => {
      for (const { kind, events, verdicts, detail } of outcomes) {
        try {
          onDelivery({
            route,
            kind,
            events,
            ...(verdicts === undefined ? {} : { verdicts }),
            ...(detail === undefined ? {} : { detail }),
          });
        } catch (error) {
          trouble({ kind: 'callback', route, detail: `onDelivery threw ${String(error)}` });
        }
      }
    },
  };
}

const warnOfLoss: NonNullable<Reporting['onDelivery']> = ({ kind, route, events, detail }) => {
  if (kind === 'delivered') return;
  process.emitWarning(`${events.length} events of ${route} were ${kind}: ${detail ?? 'no reason given'}`, {
    type: 'TributarySdk',
  });
};

/** Attempts that are repeated are not worth a warning; a disk that takes nothing is. */
const warnOfDisk: NonNullable<Reporting['onError']> = ({ kind, detail }) => {
  if (kind === 'spool') process.emitWarning(detail, { type: 'TributarySdk' });
};
