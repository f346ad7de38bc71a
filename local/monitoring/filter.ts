import { invalid } from './refuse.ts';

/** A filter of time series: one metric type, and labels that must be equal. */
export interface SeriesFilter {
  readonly metricType: string;
  readonly resourceType: string | undefined;
  readonly metricLabels: Readonly<Record<string, string>>;
  readonly resourceLabels: Readonly<Record<string, string>>;
}

const comparison = /\s*([\w.]+)\s*(=|!=|:|<=|>=|<|>)\s*("(?:[^"\\]|\\.)*"|[\w.:]+\(|[^\s()"]+)/y;
const and = /\s+AND(?=\s)/y;
const space = /\s*$/y;

/**
 * Reads a monitoring filter: comparisons by `=`, joined by AND. Everything else that
 * https://cloud.google.com/monitoring/api/v3/filters allows is refused by name, so that no filter is ever ignored.
 */
export function parseFilter(text: string): SeriesFilter {
  if (text.trim() === '') throw invalid('Field filter had an invalid value of "": a filter is required.');
  const metricTypes: string[] = [];
  const resourceTypes: string[] = [];
  const metricLabels: Record<string, string> = {};
  const resourceLabels: Record<string, string> = {};
  let at = 0;
  const refuse = (why: string) =>
    invalid(
      `Field filter had an invalid value of "${text}": ${why}. The local Monitoring compares by = and joins by AND.`,
    );
  const take = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = at;
    const found = expression.exec(text);
    if (found !== null) at = expression.lastIndex;
    return found;
  };

  for (;;) {
    const found = take(comparison);
    if (found === null) throw refuse(`"${text.slice(at).trim()}" is no comparison`);
    const [, field = '', operator = '', given = ''] = found;
    if (operator !== '=') throw refuse(`the operator ${operator} of ${field} is not supported`);
    if (given.endsWith('(')) throw refuse(`the function ${given.slice(0, -1)} is not supported`);
    const value = given.startsWith('"') ? given.slice(1, -1).replace(/\\(.)/g, '$1') : given;
    const [, kind, label] = /^(metric|resource)\.labels?\.(\w+)$/.exec(field) ?? [];
    if (field === 'metric.type') metricTypes.push(value);
    else if (field === 'resource.type') resourceTypes.push(value);
    else if (kind === 'metric') metricLabels[label!] = value;
    else if (kind === 'resource') resourceLabels[label!] = value;
    else throw refuse(`the field ${field} is not supported`);
    if (take(space) !== null) break;
    if (take(and) === null) throw refuse(`"${text.slice(at).trim()}" is not supported`);
  }

  const [metricType] = metricTypes;
  if (metricType === undefined || metricTypes.length > 1) {
    throw invalid(
      `Field filter had an invalid value of "${text}": the filter must name a single metric.type.`,
    );
  }
  if (resourceTypes.length > 1) throw refuse('resource.type is named twice');
  return { metricType, resourceType: resourceTypes[0], metricLabels, resourceLabels };
}

interface Labelled {
  readonly type: string;
  readonly labels: Readonly<Record<string, string>>;
}

export function matches(filter: SeriesFilter, series: { metric: Labelled; resource: Labelled }): boolean {
  const hasAll = (labels: Labelled['labels'], wanted: Labelled['labels']) =>
    Object.entries(wanted).every(([name, value]) => labels[name] === value);
  return (
    series.metric.type === filter.metricType &&
    (filter.resourceType === undefined || series.resource.type === filter.resourceType) &&
    hasAll(series.metric.labels, filter.metricLabels) &&
    hasAll(series.resource.labels, filter.resourceLabels)
  );
}
