import { parseDocument } from 'yaml';
import type { z } from 'zod';
import defaults from '../../../infra/reports.default.json' with { type: 'json' };
import { nearestName } from '../services/nearest-name.ts';
import type { ConfigurationProblem, ServiceModule } from '../services/service.ts';
import { createConfigurationShape, type ReportsConfiguration } from './configuration.ts';

/** The configuration cannot be used; the message has a line for each thing that is wrong, with where and what to do. */
export class InvalidConfiguration extends Error {
  readonly problems: readonly string[];
  constructor(location: string, problems: readonly string[]) {
    super(`${location} is no configuration of reports:\n${problems.map((it) => `  ${it}`).join('\n')}`);
    this.name = 'InvalidConfiguration';
    this.problems = problems;
  }
}

/**
 * Reads a configuration from YAML, of which JSON is a part, and completes it with the shipped maps and reports. Throws
 * InvalidConfiguration, naming everything wrong with it at once. `location` says whose text it is.
 */
export function parseConfiguration(
  text: string,
  location: string,
  modules: readonly ServiceModule[],
): ReportsConfiguration {
  const document = parseDocument(text, { prettyErrors: true, uniqueKeys: true });
  if (document.errors.length > 0) {
    throw new InvalidConfiguration(
      location,
      document.errors.map(({ message }) => message.replaceAll(/\s*\n\s*/g, ' ').trim()),
    );
  }
  const shape = createConfigurationShape(modules);
  const given: unknown = document.toJS() ?? {};
  const parsed = shape.safeParse(withDefaults(given, modules));
  if (!parsed.success) {
    const known = Object.keys(shape.shape);
    const problems = parsed.error.issues.flatMap((issue) => describeIssue(issue, known));
    throw new InvalidConfiguration(location, [...new Set(problems)]);
  }
  const configuration: ReportsConfiguration = parsed.data;
  const problems = [
    ...checkKeys(configuration, modules),
    ...modules.flatMap((module) => module.checkConfiguration?.(configuration) ?? []),
  ];
  if (problems.length > 0) {
    throw new InvalidConfiguration(
      location,
      problems.map(({ path, message }) => `${writePath(path)}: ${message}`),
    );
  }
  return configuration;
}

/** What is shipped: shared with whoever wants to see or copy it. */
export const shippedDefaults: unknown = defaults;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Maps that are not given are the shipped ones; shipped reports follow those that are given. */
function withDefaults(given: unknown, modules: readonly ServiceModule[]): unknown {
  if (!isRecord(given)) return given;
  const { defaultReports = true } = given;
  const reports = Array.isArray(given.reports) ? given.reports : [];
  const own = new Set(reports.map((report: unknown) => (isRecord(report) ? report.key : undefined)));
  const sources = new Set(modules.map(({ source }) => source));
  const wanted = (key: string) =>
    Array.isArray(defaultReports) ? defaultReports.includes(key) : defaultReports === true;
  const shipped = defaults.reports.filter(
    ({ key, source }) => sources.has(source) && wanted(key) && !own.has(key),
  );
  const isMapped = modules.some(({ configurationFields }) => 'maps' in configurationFields);
  return {
    ...given,
    ...(isMapped &&
      (given.maps === undefined || isRecord(given.maps)) && {
        maps: { ...defaults.maps, ...(given.maps ?? {}) },
      }),
    ...((given.reports === undefined || Array.isArray(given.reports)) && {
      reports: [...reports, ...shipped],
    }),
  };
}

function describeIssue(issue: z.core.$ZodIssue, known: readonly string[]): string[] {
  const path = writePath(issue.path);
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const instead = issue.path.length === 0 ? nearestName(key, known) : undefined;
      const hint = instead === undefined ? 'Take it out.' : `Did you mean ${instead}?`;
      return `${writePath([...issue.path, key])}: there is no such field. ${hint}`;
    });
  }
  if (issue.code === 'invalid_union' && issue.path.at(-1) === 'source') {
    return [
      `${path}: must be one of the services: ${'options' in issue ? String(issue.options) : 'see the schema'}`,
    ];
  }
  const isAbsent =
    issue.code === 'invalid_type' && issue.input === undefined && /undefined/.test(issue.message);
  return [
    `${path}: ${isAbsent ? `is missing; it must be ${articled(issue.expected)}` : lower(issue.message)}`,
  ];
}

const lower = (text: string) =>
  text.replace(/^Invalid input: /, '').replace(/^\w/, (letter) => letter.toLowerCase());
const articled = (type: string) => (/^[aeio]/.test(type) ? `an ${type}` : `a ${type}`);

/** `sites[0].properties[1].propertyId`, as an operator finds it in the file. */
function writePath(path: readonly PropertyKey[]): string {
  const written = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return written.replace(/^\./, '') || 'the file';
}

function checkKeys(
  configuration: ReportsConfiguration,
  modules: readonly ServiceModule[],
): ConfigurationProblem[] {
  const problems: ConfigurationProblem[] = [];
  const keysOf = new Map(modules.map((module) => [module.source, module.listKeys(configuration)]));
  const all = [...keysOf.values()].flat();
  const twice = (keys: readonly string[], what: string, field: string) => {
    for (const [index, key] of keys.entries()) {
      if (keys.indexOf(key) === index) continue;
      problems.push({ path: [field], message: `the key ${key} is that of two ${what}: rename one` });
    }
  };
  twice(all, 'sites or channels', 'sites, channels');
  twice([...all, ...configuration.groups.map(({ key }) => key)], 'groups, sites or channels', 'groups');
  twice(
    configuration.reports.map(({ key }) => key),
    'reports',
    'reports',
  );
  const unknown = (key: string, known: readonly string[], path: (string | number)[]) => {
    if (known.includes(key)) return;
    const instead = nearestName(key, known);
    const hint =
      instead === undefined ? `There are: ${known.join(', ') || 'none'}.` : `Did you mean ${instead}?`;
    problems.push({ path, message: `${key} is no key of this file. ${hint}` });
  };
  for (const [place, { members }] of configuration.groups.entries()) {
    for (const [index, key] of members.entries()) unknown(key, all, ['groups', place, 'members', index]);
  }
  const groups = configuration.groups.map(({ key }) => key);
  for (const [place, { on, source }] of configuration.reports.entries()) {
    const known = [...(keysOf.get(source) ?? []), ...groups];
    for (const [index, key] of on.entries()) {
      if (key !== '*') unknown(key, known, ['reports', place, 'on', index]);
    }
  }
  return problems;
}
