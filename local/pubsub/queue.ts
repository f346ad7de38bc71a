/** First in, first out, without moving the rest for each item taken. */
export interface Queue<T> {
  push(item: T): void;
  shift(): T | undefined;
  readonly length: number;
  [Symbol.iterator](): Iterator<T>;
}

export function createQueue<T>(): Queue<T> {
  let items: T[] = [];
  let head = 0;
  return {
    push(item) {
      items.push(item);
    },
    shift() {
      const item = items[head];
      if (head < items.length) head++;
      if (head > 4096 && head * 2 > items.length) {
        items = items.slice(head);
        head = 0;
      }
      return item;
    },
    get length() {
      return items.length - head;
    },
    *[Symbol.iterator]() {
      for (let i = head; i < items.length; i++) yield items[i]!;
    },
  };
}
