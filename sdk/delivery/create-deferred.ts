import { longestTimer } from './delivery-options.ts';

type Settle<Value> = (value: Value | PromiseLike<Value>) => void;

/** Promise.withResolvers, which Node 20 has not. */
export function createDeferred<Value>(): { promise: Promise<Value>; resolve: Settle<Value> } {
  let resolve: Settle<Value> = () => {};
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

/** Resolves when the work is done, or when so many milliseconds have passed. Rejects as it does. */
export async function waitFor(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise: tooLate, resolve } = createDeferred<void>();
  const timer = setTimeout(resolve, Math.min(ms, longestTimer));
  await Promise.race([work, tooLate]);
  clearTimeout(timer);
}
