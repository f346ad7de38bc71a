import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createLineBuffer, readEvents, toLines, writeList } from './event-lines.ts';

const json = fc.string({ unit: 'grapheme', maxLength: 300 }).map((text) => JSON.stringify({ text }));

test('events come out as they went in, whatever their number, length and letters', () => {
  fc.assert(
    fc.property(fc.array(json, { maxLength: 200 }), (events) => {
      const lines = toLines(events);
      expect(lines.count).toBe(events.length);
      expect(readEvents(lines)).toEqual(events);
      if (events.length > 0) expect(writeList(lines).toString()).toBe(`[${events.join(',')}]`);
      expect(lines.bytes.toString()).toBe(events.map((event) => `${event}\n`).join(''));
    }),
  );
});

test('memory that was used before shows in nothing', () => {
  fc.assert(
    fc.property(fc.array(json), fc.array(json), json, (before, events, over) => {
      const used = createLineBuffer(Buffer.alloc(100));
      before.forEach(used.add);
      const lines = createLineBuffer(used.memory);
      events.forEach(lines.add);
      const length = lines.add(over);
      expect(length).toBe(Buffer.byteLength(over) + 1);
      lines.takeBack(length);
      expect(readEvents(lines)).toEqual(events);
      expect([lines.count, lines.end]).toEqual([events.length, lines.bytes.length]);
    }),
  );
});
