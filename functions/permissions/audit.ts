import { hash } from 'node:crypto';
import type { Step, Verb } from './access-plan.ts';
import type { AppendRows } from './append-rows.ts';
import type { Head, StepKind } from './journal.ts';
import type { StepResult } from './outcome.ts';
import { toApi } from './roles.ts';

/** Writes what is about to be done to access_audit, and what became of it. Rejects unless it is stored. */
export interface Audit {
  before(kind: StepKind, step: Step): Promise<void>;
  after(kind: StepKind, step: Step, result: StepResult, latencyMs: number): Promise<void>;
}

export function createAudit(head: Head, append: AppendRows, now: () => number): Audit {
  const write = (
    kind: StepKind,
    step: Step,
    phaseOf: (user: string) => string,
    more: { attempt: number; status?: string | undefined; detail?: string | undefined; latency_ms?: number },
  ) => {
    const occurredAt = now() * 1_000;
    return append(
      'access_audit',
      step.changes.map(({ user, before, after, line, reason }) => {
        const phase = phaseOf(user);
        return {
          audit_id: hash(
            'sha256',
            `${head.requestId}\n${kind}\n${step.index}\n${user}\n${phase}\n${occurredAt}`,
          ).slice(0, 32),
          occurred_at: occurredAt,
          request_id: head.requestId,
          plan_hash: head.planHash,
          phase,
          step: step.index,
          caller: head.caller,
          reason,
          account: step.account,
          resource: step.parent,
          user_email: user,
          before_roles: toApi(before ?? []),
          after_roles: toApi(after ?? []),
          method: methods[step.verb],
          batch_size: step.changes.length,
          line,
          ...more,
        };
      }),
    );
  };
  return {
    before: (kind, step) => write(kind, step, () => (kind === 'step' ? 'intent' : 'undo'), { attempt: 0 }),
    after(kind, step, { attempts, code, message, lines }, latencyMs) {
      const open = new Set(lines.map(({ user }) => user));
      const [done, failed] = kind === 'step' ? ['applied', 'failed'] : ['undone', 'undo_failed'];
      return write(kind, step, (user) => (open.has(user) ? failed : done), {
        attempt: attempts,
        status: code,
        detail: message?.slice(0, 1_000).toWellFormed(),
        latency_ms: Math.round(latencyMs),
      });
    },
  };
}

const methods: Record<Verb, string> = {
  create: 'BatchCreateAccessBindings',
  update: 'BatchUpdateAccessBindings',
  delete: 'BatchDeleteAccessBindings',
};
