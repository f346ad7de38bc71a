import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createRegister } from './register.ts';

test('a register holds what was added and not taken out, also where one thing was added twice', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), item: fc.nat(5) }),
    fc.record({ kind: fc.constant('take' as const), which: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const register = createRegister<number>();
      const held: { item: number; takeOut: () => void }[] = [];
      for (const one of steps) {
        if (one.kind === 'add') held.push({ item: one.item, takeOut: register.add(one.item) });
        else if (held.length > 0) held.splice(one.which % held.length, 1)[0]?.takeOut();
        expect(register.size()).toBe(held.length);
        expect(register.all().sort()).toEqual(held.map(({ item }) => item).sort());
      }
    }),
  );
});
