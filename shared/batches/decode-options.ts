import { type Settings, settingsOf } from '../settings/settings.ts';
import type { DecodeOptions } from '../wire/dialect.ts';

/** What decoding needs to know, from the settings and the caps in bytes and events. */
export const decodeOptionsOf = (
  settings: Settings,
  caps: { readonly inflated: number; readonly events: number },
): DecodeOptions => ({
  window: settings.timeWindow,
  inflatedBytes: caps.inflated,
  eventsPerRequest: caps.events,
  ignoresEventTime: (project) => settingsOf(settings, project).eventTime === 'ignore',
});
