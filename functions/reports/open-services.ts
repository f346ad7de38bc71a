import type { log as writeLog } from '../../shared/host/log.ts';
import type { SettingsSource } from '../../shared/settings/settings-source.ts';
import type { PollSettings } from './configuration/configuration.ts';
import { InvalidConfiguration, parseConfiguration } from './configuration/parse-configuration.ts';
import type { Service, ServiceModule } from './services/service.ts';

/** The services as they are configured now. */
export interface OpenedServices {
  readonly services: readonly Service[];
  readonly poll: Pick<PollSettings, 'lookbackDays' | 'repullDays'>;
}

export interface ServicesOptions {
  /** Undefined where nothing is to be pulled. */
  readonly source: SettingsSource | undefined;
  /** Whether there may be no configuration there yet. */
  readonly mayBeAbsent: boolean;
  readonly modules: readonly ServiceModule[];
  readonly environment: NodeJS.ProcessEnv;
  /** When a version is looked at again, in milliseconds. */
  readonly maximumAgeMs: number;
  readonly now: () => number;
  readonly log: typeof writeLog;
}

/**
 * Reads the configuration, again where it is older than `maximumAgeMs`, and opens the services that it names. A version
 * that cannot be used is logged once and refused: the last good one holds. Rejects while there is none.
 */
export function createServicesReader(options: ServicesOptions): () => Promise<OpenedServices> {
  const { source, mayBeAbsent, modules, environment, maximumAgeMs, now, log } = options;
  let opened: OpenedServices | undefined;
  let version: string | undefined;
  let refused: string | undefined;
  let readAt = 0;

  const open = (text: string, location: string): OpenedServices => {
    const configuration = parseConfiguration(text, location, modules);
    return {
      services: modules.map((module) => module.open(configuration, environment)),
      poll: configuration.poll,
    };
  };
  const none: OpenedServices = { services: [], poll: { lookbackDays: 1, repullDays: [1] } };

  return async () => {
    if (source === undefined) return none;
    if (opened !== undefined && now() < readAt + maximumAgeMs) return opened;
    const found = await source.read(version);
    if (found.kind === 'absent') {
      if (!mayBeAbsent && opened === undefined) throw new Error(`${source.location} does not exist.`);
      opened ??= none;
    } else if (found.kind === 'text' && found.version !== refused) {
      try {
        opened = open(found.text, source.location);
        version = found.version;
        refused = undefined;
      } catch (error) {
        if (!(error instanceof InvalidConfiguration) || opened === undefined) throw error;
        refused = found.version;
        log('ERROR', 'The new configuration of reports cannot be used; the last good one holds.', {
          problems: error.problems,
        });
      }
    }
    readAt = now();
    return opened ?? none;
  };
}
