import { json } from '../codecs/json.ts';
import type { Route } from '../delivery/route.ts';
import { createAnalysysRoute } from '../routes/analysys-route.ts';
import { createGrowingRoute } from '../routes/growing-route.ts';
import { createTributaryRoute } from '../routes/tributary-route.ts';

export const dialects = ['analysys', 'growingio', 'tributary'] as const;
export type Dialect = (typeof dialects)[number];

/** What the caller says of the lines, where they do not say it themselves. */
export interface Told {
  readonly dialect: Dialect | undefined;
  /** Of GrowingIO. */
  readonly project: string | undefined;
  /** Of our own dialect. */
  readonly key: string | undefined;
}

export type Choice =
  | { readonly kind: 'route'; readonly route: Route }
  /** The line is nobody's event. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** All lines like this one need a flag. */
  | { readonly kind: 'untold'; readonly reason: string };

/** Tells of each line of a file where it goes: by its keys, by the folders that the file collector makes, and by flags. */
export function createChooser(told: Told, path: string): (line: string) => Choice {
  const hints = readFolders(path);
  const routes = new Map<string, Route>();
  const choose = (name: string, create: () => Route): Choice => {
    const route = routes.get(name) ?? create();
    routes.set(name, route);
    return { kind: 'route', route };
  };

  return (line) => {
    const event = parseObject(line);
    if (typeof event === 'string') return { kind: 'rejected', reason: event };
    const dialect = told.dialect ?? hints.dialect ?? guessDialect(event);
    switch (dialect) {
      case 'analysys': {
        const { appid } = event;
        if (typeof appid !== 'string') return { kind: 'rejected', reason: 'appid is no text' };
        return choose(`analysys ${appid}`, () => createAnalysysRoute(appid));
      }
      case 'growingio': {
        const own = typeof event.projectKey === 'string' ? event.projectKey : undefined;
        const project = told.project ?? own ?? hints.project;
        if (project === undefined)
          return { kind: 'untold', reason: 'GrowingIO events without a projectKey need --project' };
        const kind = 'eventType' in event ? 'event' : 'item';
        return choose(`growingio ${kind} ${project}`, () => createGrowingRoute(kind, project, json));
      }
      case 'tributary': {
        const key = told.key ?? hints.key;
        if (key === undefined)
          return { kind: 'untold', reason: "events of Tributary's own dialect need --key" };
        return choose(`tributary ${key}`, () => createTributaryRoute(key));
      }
      case undefined:
        return { kind: 'rejected', reason: 'the keys are of no dialect that is known' };
    }
  };
}

/** The object, or what is wrong. */
function parseObject(line: string): Readonly<Record<string, unknown>> | string {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>;
    return 'it is no JSON object';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function guessDialect(event: Readonly<Record<string, unknown>>): Dialect | undefined {
  const has = (...keys: string[]) => keys.every((key) => key in event);
  if (has('appid', 'xwhat')) return 'analysys';
  if (has('eventType') || has('dataSourceId') || has('projectKey')) return 'growingio';
  return has('name') || has('kind') ? 'tributary' : undefined;
}

interface Hints {
  readonly dialect?: Dialect;
  readonly project?: string;
  readonly key?: string;
}

/** The names of the routes, which are folders below that of a file collector or a spool. */
function readFolders(path: string): Hints {
  const [file, last = '', before = '', first = ''] = path.split(/[\\/]/).reverse();
  if (file === undefined) return {};
  if (before === 'tributary') return { dialect: 'tributary', key: decode(last) };
  if (first === 'growingio' && (last === 'collect' || last === 'item'))
    return { dialect: 'growingio', project: decode(before) };
  return {};
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
