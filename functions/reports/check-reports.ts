import { hash } from 'node:crypto';
import { describeError, type log as writeLog } from '../../shared/host/log.ts';
import type { AppendRows } from './append-rows.ts';
import { createCallLedger } from './call-ledger.ts';
import { reportId } from './holds.ts';
import type { PollState } from './poll-state.ts';
import { hourMs } from './services/calendar.ts';
import type { Service, ServiceContext } from './services/service.ts';

export type CheckedReports = PollState['checked'][string];

/**
 * Asks the API once per configuration whether it has what the reports name. What is wrong is logged by name and never
 * pulled; what could not be checked for want of access is tried again after an hour, and pulled meanwhile. Undefined
 * where nothing could be checked at all: nothing is pulled then.
 */
export async function checkReports(
  service: Service,
  known: CheckedReports | undefined,
  context: Omit<ServiceContext, 'recordCall'>,
  options: { readonly append: AppendRows; readonly log: typeof writeLog; readonly now: () => number },
): Promise<CheckedReports | undefined> {
  const { append, log, now } = options;
  const { source, reports, entities } = service;
  const asked = JSON.stringify([reports.map(reportId), entities.map(({ entityId }) => entityId)]);
  const digest = hash('sha256', asked, 'hex');
  const isSame = known?.hash === digest;
  if (isSame && (known.again === null || now() < known.again)) return known;
  const before = isSame ? known : undefined;
  const ledger = createCallLedger(source, append);
  try {
    const again = before?.unchecked.flatMap(({ entityId }) => entityId ?? []) ?? [];
    // Of the others nothing has changed since, and of hundreds of properties one is without access for months.
    const only = again.length > 0 && again.length === before?.unchecked.length ? again : undefined;
    const asking = { ...context, recordCall: ledger.record };
    const problems = await service.checkReports(asking, only);
    const wrong = problems.filter(({ field }) => field !== 'access');
    const unchecked = problems.filter(({ field }) => field === 'access');
    const told = new Set([...(before?.problems ?? []), ...(before?.unchecked ?? [])].map((it) => it.message));
    for (const { report, entityId, field, name, message } of problems) {
      if (told.has(message)) continue;
      // Who has no access is alerted of by the first probe.
      const severity = field === 'access' ? 'WARNING' : 'ERROR';
      log(severity, message, { source, report, entity_id: entityId, field, name });
    }
    return {
      hash: digest,
      problems: [
        ...(only === undefined ? [] : (before?.problems ?? [])),
        ...wrong.map(({ report, entityId, message }) => ({ report, entityId, message })),
      ],
      unchecked: unchecked.map(({ entityId, message }) => ({ entityId, message })),
      again: unchecked.length === 0 ? null : now() + hourMs,
    };
  } catch (error) {
    log('WARNING', 'The reports could not be checked; nothing is pulled before.', {
      source,
      ...describeError(error),
    });
    return undefined;
  } finally {
    await ledger.flush();
  }
}
