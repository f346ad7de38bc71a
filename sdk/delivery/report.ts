import type { Outcome } from './deliver.ts';
import { readEvents } from './event-lines.ts';
import type { DeliveryTrouble, Reporting } from './route.ts';

export interface Reporter {
  report(route: string, outcomes: readonly Outcome[]): void;
  trouble(trouble: DeliveryTrouble): void;
}

/** Calls the caller's callbacks, whose own errors must not stop the delivery. Nothing is lost in silence without them. */
export function createReporter({ onDelivery, onError = warnOfDisk }: Reporting): Reporter {
  const trouble = (given: DeliveryTrouble) => {
    try {
      onError(given);
    } catch (error) {
      warn(`onError threw ${String(error)}`);
    }
  };
  return {
    trouble,
    report: (route, outcomes) => {
      for (const { kind, events, verdicts, detail } of outcomes) {
        if (onDelivery === undefined) {
          warnOfLoss(route, kind, events.count, detail);
          continue;
        }
        try {
          onDelivery({
            route,
            kind,
            events: readEvents(events),
            ...(verdicts && { verdicts }),
            ...(detail && { detail }),
          });
        } catch (error) {
          trouble({ kind: 'callback', route, detail: `onDelivery threw ${String(error)}` });
        }
      }
    },
  };
}

function warnOfLoss(route: string, kind: Outcome['kind'], count: number, detail = 'no reason given'): void {
  if (kind === 'delivered') return;
  warn(`${count} events of ${route} were ${kind}: ${detail}`);
}

/** Attempts that are repeated are not worth a warning; a disk that takes nothing is. */
const warnOfDisk: NonNullable<Reporting['onError']> = ({ kind, detail }) => {
  if (kind === 'spool') warn(detail);
};

const warn = (detail: string): void => process.emitWarning(detail, { type: 'TributarySdk' });
