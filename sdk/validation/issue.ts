/** What is wrong with what a caller gave. */
export interface Issue {
  /** `error`: the event is not sent. `warning`: it is, without what the detail says is left out. */
  readonly severity: 'warning' | 'error';
  /** One word to group by. */
  readonly rule: string;
  /** Where: `id`, `name`, `properties.lines[2].price`. */
  readonly field: string;
  /** What is wrong and what it should be, in words. */
  readonly detail: string;
  /** The name of the event, or the method for events without one. */
  readonly event: string;
}

export type OnIssue = (issue: Issue) => void;

/** Tells of an issue of the event at hand. */
export type Report = (severity: Issue['severity'], rule: string, field: string, detail: string) => void;

/** The issues of one event while it is checked. */
export interface EventIssues {
  readonly report: Report;
  /** Why the event is not sent: the detail of its first error. */
  readonly refusal: () => string | undefined;
}

export function collectIssues(event: string, onIssue: OnIssue): EventIssues {
  let refusal: string | undefined;
  return {
    report: (severity, rule, field, detail) => {
      if (severity === 'error') refusal ??= detail;
      onIssue({ severity, rule, field, detail, event });
    },
    refusal: () => refusal,
  };
}

/**
 * Hands issues to `onIssue`; without one, each kind of issue is told once by `process.emitWarning`. What `onIssue` throws
 * is told there too, since it would otherwise break the caller for a mistake of its logging.
 */
export function createIssueReporter(onIssue: OnIssue | undefined): OnIssue {
  const told = new Set<string>();
  const tellOnce: OnIssue = ({ severity, rule, field, detail, event }) => {
    const kind = `${severity} ${rule} ${event} ${field}`;
    if (told.has(kind) || told.size >= mostKinds) return;
    told.add(kind);
    const outcome = severity === 'error' ? 'is not sent' : 'is sent';
    warn(`${event} ${outcome}: ${detail}`, rule);
  };
  if (onIssue === undefined) return tellOnce;
  return (issue) => {
    try {
      onIssue(issue);
    } catch (error) {
      warn(`onIssue threw ${String(error)}`, 'on_issue');
    }
  };
}

const warn = (detail: string, code: string): void =>
  process.emitWarning(detail, { type: 'TributaryIssue', code });

const mostKinds = 1000;
