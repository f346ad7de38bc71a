/** The time as the reports' fakes see it. Tests set it; without a setting it is the machine's. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** From here on it stands still until it is set again or advanced. */
  set(instant: Date | string | number): void;
  advance(milliseconds: number): void;
  /** Back to the machine's clock. */
  release(): void;
}

export function createClock(start?: Date | string | number): Clock {
  let held: number | undefined;
  const clock: Clock = {
    now: () => held ?? Date.now(),
    set(instant) {
      const at = new Date(instant).getTime();
      if (Number.isNaN(at)) throw new RangeError(`${String(instant)} is not an instant.`);
      held = at;
    },
    advance(milliseconds) {
      held = clock.now() + milliseconds;
    },
    release() {
      held = undefined;
    },
  };
  if (start !== undefined) clock.set(start);
  return clock;
}
