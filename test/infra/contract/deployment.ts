/**
 * What is deployed, as far as a laptop has it too: in the cloud by a plan of Terraform, on a laptop by `npm start`. Both
 * are described in the same words: `{load}` is the URL of the function load, an account is what stands before the @, and
 * names are without the project and the prefix.
 */
export interface Deployment {
  /** By its name: its variables. */
  readonly functions: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly topics: readonly string[];
  readonly subscriptions: Readonly<Record<string, Subscription>>;
  readonly jobs: Readonly<Record<string, Job>>;
  readonly tables: Readonly<Record<string, Table>>;
  readonly views: Readonly<Record<string, { readonly description: string; readonly sql: string }>>;
  readonly tableFunctions: Readonly<Record<string, TableFunction>>;
  readonly buckets: Readonly<Record<string, Bucket>>;
}

export interface Subscription {
  readonly topic: string;
  readonly ackDeadlineSeconds: number;
  readonly retentionSeconds: number;
  readonly expires: boolean;
  readonly push:
    | { readonly endpoint: string; readonly audience: string; readonly account: string }
    | undefined;
  readonly backoffSeconds: readonly [number, number] | undefined;
  readonly deadLetters: { readonly topic: string; readonly attempts: number } | undefined;
}

export interface Job {
  readonly cron: string;
  readonly timeZone: string;
  readonly url: string;
  readonly audience: string;
  readonly account: string;
  readonly deadlineSeconds: number;
  readonly retries: number;
  readonly backoffSeconds: number;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly mode: string;
  readonly description: string;
}

export interface Table {
  readonly description: string;
  readonly columns: readonly Column[];
  readonly clusteredBy: readonly string[];
  readonly days: { readonly of: string; readonly expireMs: number | undefined } | undefined;
  readonly ranges:
    | { readonly of: string; readonly start: number; readonly end: number; readonly interval: number }
    | undefined;
}

export interface TableFunction {
  readonly description: string;
  readonly arguments: readonly { readonly name: string; readonly type: string }[];
  readonly sql: string;
}

export interface Bucket {
  readonly uniformAccess: boolean;
  readonly publicAccess: string;
}

/** Of variables whose value is the name of a file: on a laptop a path, in the cloud an object. */
const files = new Set(['SETTINGS', 'REPORTS', 'POLICY']);

/** A variable in the words of a Deployment; `reword` says what stands for URLs, accounts and names. */
export function describeVariable(name: string, value: string, reword: (text: string) => string): string {
  return files.has(name) ? (value.split('/').at(-1) ?? '') : value.split(',').map(reword).join(',');
}

export const lastPart = (name: string | null | undefined): string => name?.split('/').at(-1) ?? '';
