import { InvalidSettings, parseSettings } from './parse-settings.ts';
import { type Settings, settingsSchema } from './settings.ts';
import type { Found, SettingsSource } from './settings-source.ts';

/** Settings that follow their source in the background, so that asking for them never waits. */
export interface LiveSettings {
  /** The last good version; undefined while there was none yet. */
  current(): Settings | undefined;
  /** Resolves once the source was read for the first time, whether that gave a version or not. */
  readonly ready: Promise<void>;
  close(): void;
}

export interface LiveOptions {
  /** Undefined: the defaults, for ever. */
  readonly source: SettingsSource | undefined;
  /** Whether there may be nothing at the source yet: the defaults hold until there is. */
  readonly mayBeAbsent: boolean;
  /** When a version is looked at again. */
  readonly maximumAgeMs: number;
  /** Told once of each change, for the better or the worse, however long it lasts. */
  readonly report: (severity: 'INFO' | 'ERROR', message: string) => void;
}

const defaults: Settings = settingsSchema.parse({});

/** How soon to look again while there is no good version at all. */
const impatienceMs = 1_000;

/**
 * Opens settings and keeps them fresh: each version holds until the next good one, whatever becomes of the source.
 *
 * A file is read at once, and InvalidSettings thrown where it cannot be used: it came with what starts. A bucket is read
 * by instances that start at any time, when it may be down or hold a version that those before have refused; then there
 * are no settings until it gives a good one.
 */
export function openSettings({ source, mayBeAbsent, maximumAgeMs, report }: LiveOptions): LiveSettings {
  if (source === undefined) return { current: () => defaults, ready: Promise.resolve(), close() {} };
  let isStarted = source.readNow === undefined;
  const state = createState(source.location, mayBeAbsent, (severity, message) => {
    if (isStarted) report(severity, message);
  });
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;

  async function look(from: SettingsSource): Promise<void> {
    const found = await from.read(state.version()).then(
      (read) => () => state.take(read),
      (error: unknown) => () => state.fail(error),
    );
    if (isClosed) return;
    found();
    lookLater(from);
  }
  function lookLater(from: SettingsSource): void {
    const inMs = state.current() === undefined ? Math.min(impatienceMs, maximumAgeMs) : maximumAgeMs;
    // A paused instance catches up at once when it goes on.
    timer = setTimeout(look, inMs, from).unref();
  }

  let ready = Promise.resolve();
  if (source.readNow === undefined) ready = look(source);
  else {
    try {
      state.take(source.readNow());
    } catch (error) {
      state.fail(error);
    }
    const wrong = state.trouble();
    if (wrong !== undefined) throw new InvalidSettings(wrong);
    isStarted = true;
    lookLater(source);
  }
  return {
    current: state.current,
    ready,
    close() {
      isClosed = true;
      clearTimeout(timer);
      source.close();
    },
  };
}

/** Reads settings once. Throws InvalidSettings where they cannot be used, and else where the source cannot be reached. */
export async function readSettings(
  source: SettingsSource | undefined,
  mayBeAbsent: boolean,
): Promise<Settings> {
  if (source === undefined) return defaults;
  const found = await source.read(undefined);
  if (found.kind === 'text') return parseSettings(found.text, source.location);
  if (mayBeAbsent) return defaults;
  throw new InvalidSettings(absent(source.location));
}

/** What was found so far, what is wrong with it, and what was told of that. */
function createState(location: string, mayBeAbsent: boolean, report: LiveOptions['report']) {
  let settings: Settings | undefined;
  let version: string | undefined;
  /** Why the version is refused. */
  let refusal: string | undefined;
  /** What was told last, by a name that stays while it lasts. */
  let told: { readonly name: string; readonly message: string } | undefined;

  function tell(name: string | undefined, message = name ?? ''): void {
    if (name === told?.name) return;
    told = name === undefined ? undefined : { name, message };
    if (name === undefined) report('INFO', `settings can be read again from ${location}`);
    else if (settings === undefined) report('ERROR', `there are no settings: ${message}`);
    else report('ERROR', `settings kept as they were: ${message}`);
  }

  return {
    current: () => settings,
    version: () => version,
    trouble: () => told?.message,
    take(found: Found): void {
      if (found.kind === 'same') {
        tell(refusal);
        return;
      }
      version = found.kind === 'text' ? found.version : undefined;
      refusal = undefined;
      if (found.kind === 'absent') {
        const holds = mayBeAbsent && (settings === undefined || settings === defaults);
        if (holds) settings = defaults;
        tell(holds ? undefined : absent(location));
        return;
      }
      try {
        const next = parseSettings(found.text, location);
        if (settings !== undefined || told !== undefined)
          report('INFO', `settings read again from ${location}`);
        settings = next;
        told = undefined;
      } catch (error) {
        refusal = messageOf(error);
        tell(refusal);
      }
    },
    fail(error: unknown): void {
      const message = messageOf(error);
      if (error instanceof InvalidSettings) tell(message);
      else tell('unreachable', `${location} cannot be read: ${message}`);
    },
  };
}

const absent = (location: string): string => `${location} cannot be read: there is nothing`;
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
