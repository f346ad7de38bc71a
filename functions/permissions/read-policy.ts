import type { Found, SettingsSource } from '../../shared/settings/settings-source.ts';
import { type CallerPolicy, InvalidPolicy, parsePolicy } from './caller-policy.ts';

/** The policy as it is now. Rejects with InvalidPolicy where there is none to go by, and else where it cannot be reached. */
export type ReadPolicy = () => Promise<CallerPolicy>;

/**
 * Reads the policy anew for each request, since what was taken from somebody is taken at once; the bucket is asked only
 * whether it has another version. A version that is invalid leaves the last good one in force and is told of once: whoever
 * wrote it did not mean to stop everybody. Where the policy is gone or cannot be reached, nobody may do anything.
 */
export function createPolicyReader(
  source: SettingsSource,
  report: (severity: 'INFO' | 'ERROR', message: string) => void,
): ReadPolicy {
  let version: string | undefined;
  let good: CallerPolicy | undefined;
  let refusal: InvalidPolicy | undefined;

  function take(text: string): void {
    try {
      const isNew = good !== undefined || refusal !== undefined;
      good = parsePolicy(text, source.location);
      refusal = undefined;
      if (isNew) report('INFO', `the policy of callers was read again from ${source.location}`);
    } catch (error) {
      if (!(error instanceof InvalidPolicy)) throw error;
      refusal = error;
      report(
        'ERROR',
        `${good === undefined ? 'there is no policy' : 'the policy stays as it was'}: ${error.message}`,
      );
    }
  }

  return async () => {
    const found: Found = await source.read(version);
    if (found.kind === 'absent') {
      version = undefined;
      good = undefined;
      throw new InvalidPolicy(`${source.location} cannot be read: there is nothing`);
    }
    if (found.kind === 'text') {
      version = found.version;
      take(found.text);
    }
    if (good === undefined) throw refusal ?? new InvalidPolicy(`${source.location} has no policy`);
    return good;
  };
}
