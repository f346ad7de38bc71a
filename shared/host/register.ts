/** What is under way right now. */
export interface Register<Item> {
  /** Returns what takes it out again; called once. */
  add(item: Item): () => void;
  size(): number;
  all(): Item[];
}

/**
 * A Set would do, but for the garbage collector: what comes and goes has V8 replace a Set's table again and again, and
 * each table refers to the next one. Once one of them is old, it keeps all later ones from dying young, with all that was
 * ever in them.
 */
export function createRegister<Item>(): Register<Item> {
  const places: (Item | undefined)[] = [];
  const free: number[] = [];
  return {
    add(item) {
      const place = free.pop() ?? places.length;
      places[place] = item;
      return () => {
        places[place] = undefined;
        free.push(place);
      };
    },
    size: () => places.length - free.length,
    all: () => places.filter((item) => item !== undefined),
  };
}
