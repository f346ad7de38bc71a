import { randomBytes } from 'node:crypto';
import type { AppendRows } from './append-rows.ts';
import type { Call } from './services/service.ts';

/** Takes calls as they are made, and stores them. */
export interface CallLedger {
  /** Those that were made since the last flush. */
  readonly calls: readonly Call[];
  readonly record: (call: Call) => void;
  /** Stores what was recorded since the last time; what could not be is kept for the next. */
  flush(): Promise<void>;
}

export function createCallLedger(source: string, append: AppendRows): CallLedger {
  let calls: Call[] = [];
  return {
    get calls() {
      return calls;
    },
    record: (call) => calls.push(call),
    async flush() {
      const stored = calls;
      calls = [];
      try {
        await append(
          'api_calls',
          stored.map((call) => ({
            call_id: randomBytes(16).toString('hex'),
            source,
            api: call.api,
            method: call.method,
            entity_id: call.entityId ?? undefined,
            probe_group: call.probeGroup,
            reports: call.reports,
            status: call.status ?? undefined,
            reason: call.reason ?? undefined,
            attempt: call.attempt,
            milliseconds: Math.round(call.milliseconds),
            bytes: call.bytes,
            tokens: call.tokens ?? undefined,
            units: call.units ?? undefined,
            quota_remaining: call.quotaRemaining === null ? undefined : JSON.stringify(call.quotaRemaining),
            started_at: call.startedAt.getTime() * 1_000,
          })),
        );
      } catch (error) {
        calls = [...stored, ...calls];
        throw error;
      }
    },
  };
}
