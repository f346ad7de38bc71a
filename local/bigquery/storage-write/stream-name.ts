import type { TableReference } from '../sql/index.ts';

export type StreamName =
  | { kind: 'default'; table: TableReference; canonical: string }
  | { kind: 'other'; table: TableReference }
  | { kind: 'invalid' };

/** Reads a write stream's name: the default stream in both spellings that clients use, or another one. */
export function parseStreamName(name: string): StreamName {
  const found = /^projects\/([^/]+)\/datasets\/([^/]+)\/tables\/([^/]+)\/(?:streams\/)?([^/]+)$/.exec(name);
  if (found === null) return { kind: 'invalid' };
  const [, projectId = '', datasetId = '', tableId = '', stream] = found;
  const table = { projectId, datasetId, tableId };
  if (stream !== '_default') return { kind: 'other', table };
  return { kind: 'default', table, canonical: `${tablePath(table)}/streams/_default` };
}

export function tablePath(table: TableReference): string {
  return `projects/${table.projectId}/datasets/${table.datasetId}/tables/${table.tableId}`;
}
