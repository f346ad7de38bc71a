import * as framework from '@google-cloud/functions-framework';

/**
 * Registers work to do before the process exits, such as flushing a publisher. Returns whether it will be done:
 * the stock framework exits at once on SIGTERM and has nothing to register with, so there the answer is `false`.
 */
export function whenDraining(hook: () => Promise<void>): boolean {
  if (!('onDrain' in framework) || typeof framework.onDrain !== 'function') return false;
  framework.onDrain(hook);
  return true;
}
