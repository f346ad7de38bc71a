import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessEvent } from '../../../local/index.ts';
import { percentile } from '../percentile.ts';
import type { StoredRows } from './judge.ts';
import { quarters } from './memory.ts';

/** What has been found up to the last whole round; kept in a file, so that a run can go on where it stopped. */
export interface Findings {
  /** How often the proof was started; part of every mark, since a round that was broken off is sent again. */
  starts: number;
  requests: number;
  families: Record<string, number>;
  /** Of each reason for quarantine how often it was given, and once in full. */
  reasons: Record<string, { rows: number; detail: string }>;
  failures: Failure[];
  events: number;
  /** Events that differ from no other by a mutation, and so are shown once for both. */
  copies: number;
  /** Batches found in the spill bucket, which were drained before they were judged. */
  spilled: number;
  /** Ends of processes that nobody asked for. */
  crashes: string[];
  /** Lines of severity ERROR or worse, by function and message. */
  errors: Record<string, number>;
  /** Lines of a log that hold what a sender sent. */
  leaks: number;
  memory: number[];
  latencies: Record<'alone' | 'beside' | 'besideSlow', number[]>;
  good: { answered: number; failed: number };
}

export interface Failure {
  readonly seed: number;
  readonly request: number;
  readonly family: string;
  readonly problem: string;
}

export interface FuzzFigures extends Omit<Findings, 'starts' | 'memory' | 'latencies' | 'good'> {
  readonly quarantined: number;
  readonly memoryMb: { readonly first: number; readonly last: number; readonly most: number };
  readonly p99Ms: { readonly alone: number; readonly beside: number; readonly besideSlow: number };
  readonly good: {
    readonly answered: number;
    readonly failed: number;
    readonly missing: number;
    readonly double: number;
  };
}

export const stateFile = 'proof.json';

export function readFindings(folder: string): Findings | undefined {
  try {
    return JSON.parse(readFileSync(join(folder, stateFile), 'utf8'));
  } catch {
    return undefined;
  }
}

export const writeFindings = (folder: string, findings: Findings): void =>
  writeFileSync(join(folder, stateFile), JSON.stringify(findings));

export const noFindings = (): Findings => ({
  starts: 0,
  requests: 0,
  families: {},
  reasons: {},
  failures: [],
  events: 0,
  copies: 0,
  spilled: 0,
  crashes: [],
  errors: {},
  leaks: 0,
  memory: [],
  latencies: { alone: [], beside: [], besideSlow: [] },
  good: { answered: 0, failed: 0 },
});

/** Notes what a process says or that it ended. */
export function noteProcess(findings: Findings, event: ProcessEvent): void {
  if (event.kind === 'died') findings.crashes.push(`${event.name}: ${event.why}`);
  if (event.kind !== 'line') return;
  if (event.line.includes('sekret')) findings.leaks++;
  const message = /"severity":"(?:ERROR|CRITICAL)","message":"([^"]*)"/.exec(event.line)?.[1];
  if (event.name === 'cloud' || (message === undefined && event.stream === 'stdout')) return;
  const said = `${event.name}: ${message ?? event.line.slice(0, 100)}`;
  findings.errors[said] = (findings.errors[said] ?? 0) + 1;
}

export function noteRows(findings: Findings, stored: ReadonlyMap<string, StoredRows>): void {
  for (const { events, quarantine } of stored.values()) {
    findings.events += events.length;
    for (const { reason, detail } of quarantine) {
      const known = findings.reasons[String(reason)] ?? { rows: 0, detail: String(detail) };
      known.rows++;
      findings.reasons[String(reason)] = known;
    }
  }
}

export function figuresOf(findings: Findings, good: { rows: number; numbers: number }): FuzzFigures {
  const { starts: _starts, memory, latencies, ...others } = findings;
  const p99 = (list: readonly number[]) => Math.round(percentile(list, 0.99) * 10) / 10;
  return {
    ...others,
    quarantined: Object.values(findings.reasons).reduce((sum, { rows }) => sum + rows, 0),
    memoryMb: quarters(memory),
    p99Ms: {
      alone: p99(latencies.alone),
      beside: p99(latencies.beside),
      besideSlow: p99(latencies.besideSlow),
    },
    good: {
      ...findings.good,
      missing: findings.good.answered - good.numbers,
      double: good.rows - good.numbers,
    },
  };
}
