import { z } from 'zod';
import { type Settings, settingsSchema } from './settings.ts';

/** Settings cannot be used; the message says where and why. */
export class InvalidSettings extends Error {}

/** Throws InvalidSettings, naming the place in the text and what is wrong with it. `location` says whose text it is. */
export function parseSettings(text: string, location: string): Settings {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new InvalidSettings(`${location} is not JSON: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
  const parsed = settingsSchema.safeParse(value);
  if (!parsed.success) throw new InvalidSettings(`${location} is invalid:\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}
