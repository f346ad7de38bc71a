import type { ServerResponse } from 'node:http';
import type { GuardRefusal, Plan, PlanLine, Problem } from './access-plan.ts';
import type { Applied } from './apply-access.ts';

/** What a call is answered: a status, and its body. */
export interface Answer {
  readonly status: number;
  readonly body: object;
}

/** Of the lines of a plan, in an answer: as many as can still be read. */
const mostLines = 10_000;

export function answerPlan(plan: Plan): Answer {
  const changes = plan.lines.filter(({ outcome }) => outcome !== 'unchanged' && outcome !== 'shadowed');
  const others = plan.lines.filter(({ outcome }) => outcome === 'unchanged' || outcome === 'shadowed');
  const shown: readonly PlanLine[] = [...changes, ...others].slice(0, mostLines);
  return {
    status: 200,
    body: {
      kind: 'planned',
      planHash: plan.hash,
      atomicity: plan.atomicity,
      counts: plan.counts,
      estimatedSeconds: plan.estimatedSeconds,
      notes: plan.notes.slice(0, 1_000),
      lines: shown,
      linesLeftOut: plan.lines.length - shown.length,
      calls: plan.steps.slice(0, mostLines).map(({ account, parent, verb, changes: ofStep }) => ({
        account,
        parent,
        verb,
        changes: ofStep.length,
      })),
    },
  };
}

export function answerApplied(applied: Applied, requestId: string): Answer {
  switch (applied.kind) {
    case 'finished':
      return { status: 200, body: { ...applied.outcome } };
    case 'unfinished': {
      const advice =
        'The time of this call is over. Make the same call again: it goes on where this one stopped.';
      return { status: 202, body: { ...applied, requestId, advice } };
    }
    case 'stale': {
      const message =
        'What is there has changed since it was planned. Look at the new plan, and apply it by its hash.';
      const { moved, plan } = applied;
      return error(409, 'stale_plan', message, {
        moved: moved?.slice(0, mostLines),
        plan: answerPlan(plan).body,
      });
    }
    case 'busy':
      return error(
        409,
        'busy',
        `Another request changes ${applied.account} now; try again when it has ended.`,
      );
    case 'taken':
      return error(409, 'already_exists', `${requestId} is the id of another request; take a new one.`);
    case 'invalid':
      return answerProblems(applied.problems);
    case 'guarded':
      return answerRefusals(applied.refusals);
  }
}

export function answerProblems(problems: readonly Problem[]): Answer {
  const shown = problems.slice(0, 1_000);
  const message = shown.slice(0, 20).map(({ line, reason }) => (line === '' ? reason : `${line}: ${reason}`));
  return error(400, 'invalid_argument', message.join('\n'), { problems: shown });
}

export function answerRefusals(refusals: readonly GuardRefusal[]): Answer {
  const message = refusals.slice(0, 20).map(({ reason }) => reason);
  return error(409, 'failed_precondition', message.join('\n'), { refusals: refusals.slice(0, 1_000) });
}

export const error = (status: number, code: string, message: string, more: object = {}): Answer => ({
  status,
  body: { error: { code, message, ...more } },
});

export function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}
