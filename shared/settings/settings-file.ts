import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { type Settings, settingsSchema } from './settings.ts';

/** Settings that follow their file: a reader asks for the current ones at each request. */
export interface LiveSettings {
  current(): Settings;
}

/** The text of the settings file cannot be used; the message says where and why. */
export class InvalidSettings extends Error {}

/**
 * Reads settings and keeps them fresh: looked at again when asked after `maximumAgeMs`, in the background,
 * so that no request waits. The first version is read at once, before anything is served. An invalid version is refused, reported once, and the last good one kept.
 * Throws InvalidSettings where the first version is invalid. Without a path: the defaults.
 */
export function openSettings(options: {
  path: string | undefined;
  maximumAgeMs: number;
  report: (message: string) => void;
}): LiveSettings {
  const { path, maximumAgeMs, report } = options;
  if (path === undefined) {
    const defaults = settingsSchema.parse({});
    return { current: () => defaults };
  }
  let text = readNow(path);
  let settings = parseSettings(text, path);
  let freshUntil = Date.now() + maximumAgeMs;

  async function refresh(file: string): Promise<void> {
    try {
      const next = await read(file);
      if (next === text) return;
      text = next;
      settings = parseSettings(next, file);
      report(`settings read again from ${file}`);
    } catch (error) {
      report(`settings kept as they were: ${error instanceof Error ? error.message : error}`);
    }
  }

  return {
    current() {
      if (Date.now() > freshUntil) {
        freshUntil = Date.now() + maximumAgeMs;
        void refresh(path);
      }
      return settings;
    },
  };
}

/** Throws InvalidSettings, naming the place in the file and what is wrong with it. */
export function parseSettings(text: string, path: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidSettings(`${path} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) throw new InvalidSettings(`${path} is invalid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

function readNow(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

const unreadable = (path: string, cause: unknown): InvalidSettings =>
  new InvalidSettings(`${path} cannot be read: ${cause instanceof Error ? cause.message : cause}`, { cause });
