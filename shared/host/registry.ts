import type { IncomingMessage, ServerResponse } from 'node:http';

/** Answers one request. A promise that it returns only reports failure: the answer is what it writes. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

/** Registers `handler` under `name`, the value FUNCTION_TARGET selects. The last registration of a name counts. */
export function http(name: string, handler: Handler): void {
  handlers.set(name, handler);
}

/**
 * Registers work to do once the last request is answered and before the process exits, such as a flush.
 * Hooks run side by side and share what is left of the ten seconds Cloud Run grants.
 * Functions register through `whenDraining`, because the stock framework has no such export.
 */
export function onDrain(hook: () => Promise<void>): void {
  drainHooks.push(hook);
}

export function findHandler(name: string): Handler | undefined {
  return handlers.get(name);
}

export function registeredNames(): string[] {
  return [...handlers.keys()].sort();
}

export function registeredDrainHooks(): readonly (() => Promise<void>)[] {
  return drainHooks;
}

const handlers = new Map<string, Handler>();
const drainHooks: (() => Promise<void>)[] = [];
