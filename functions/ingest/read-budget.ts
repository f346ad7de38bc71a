/** Something that reads and can be made to wait. */
export interface Reader {
  pause(): void;
  resume(): void;
}

/** What one reader holds; it may read on until it is paused. */
export interface Share {
  /** Counts bytes that were just read; pauses the reader where all together hold too much. */
  add(bytes: number): void;
  /** Gives everything back, once; those that wait go on. */
  release(): void;
}

export interface ReadBudget {
  open(reader: Reader): Share;
}

/**
 * Bounds what the bodies that are being read hold together, so that many large ones at once cannot fill the memory: over
 * `limit` bytes the large ones wait for the others to be done, and nobody is refused. Bodies up to `small` bytes never
 * wait, and one large one always reads on, so that there is no standstill.
 */
export function createReadBudget(limit: number, small: number): ReadBudget {
  const waiting = new Map<object, Reader>();
  let largeRunning = 0;
  let held = 0;

  const wake = () => {
    for (const [share, reader] of waiting) {
      if (held > limit && largeRunning > 0) return;
      waiting.delete(share);
      largeRunning++;
      reader.resume();
    }
  };

  return {
    open(reader) {
      const share = {};
      let own = 0;
      let isOpen = true;
      const isLarge = () => own > small;
      return {
        add(bytes) {
          if (!isOpen) return;
          const wasLarge = isLarge();
          own += bytes;
          held += bytes;
          if (!isLarge() || waiting.has(share)) return;
          if (!wasLarge) largeRunning++;
          if (held <= limit || largeRunning <= 1) return;
          waiting.set(share, reader);
          largeRunning--;
          reader.pause();
        },
        release() {
          if (!isOpen) return;
          isOpen = false;
          held -= own;
          if (isLarge() && !waiting.delete(share)) largeRunning--;
          wake();
        },
      };
    },
  };
}
