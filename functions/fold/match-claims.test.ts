import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Claim, startMatching } from './match-claims.ts';

const claim = (anonymousId: string, userId: string, rest: Partial<Claim> = {}): Claim => ({
  project: 'shop',
  anonymousId,
  userKey: null,
  userId,
  ...rest,
});

const match = (claims: readonly Claim[]): Claim[] => claims.filter(startMatching());

describe('matching claims one by one', () => {
  test('binds a device to one user and a user to one device, first come first bound', () => {
    const [first, sameDevice, sameUser, other] = [
      claim('d1', 'u1'),
      claim('d1', 'u2'),
      claim('d2', 'u1'),
      claim('d2', 'u2'),
    ] as const;
    expect(match([first, sameDevice, sameUser, other])).toEqual([first, other]);
  });

  test('leaves free what a claim that lost had claimed', () => {
    const chain = [claim('d1', 'u1'), claim('d2', 'u1'), claim('d2', 'u2'), claim('d3', 'u2')];
    expect(match(chain)).toEqual([chain[0], chain[2]]);
  });

  test('tells users of different kinds apart, whatever their ids hold, and devices from users', () => {
    const kinds = [null, '', 'null', 'email', '["email"]', 'email","x'];
    const claims = kinds.map((userKey, index) => claim(`d${index}`, 'u', { userKey }));
    expect(match(claims)).toEqual(claims);
    const glued = [claim('d1', '1', { userKey: '1' }), claim('d2', '11', { userKey: '' }), claim('1', 'd1')];
    expect(match(glued)).toEqual(glued);
  });

  test('begins anew with each project', () => {
    const claims = [claim('d', 'u'), claim('d', 'u', { project: 'site' })];
    expect(match(claims)).toEqual(claims);
  });

  test('gives the one set of claims in which none shares an id, and each of the others comes after one that it does', () => {
    const ids = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const kind = fc.constantFrom(null, 'email');
    const some = fc.record({ project: fc.constant('shop'), anonymousId: ids, userKey: kind, userId: ids });
    fc.assert(
      fc.property(fc.array(some, { maxLength: 40 }), (claims) => {
        const bound = new Set(match(claims));
        const meets = (left: Claim, right: Claim) =>
          left.anonymousId === right.anonymousId ||
          (left.userKey === right.userKey && left.userId === right.userId);
        for (const [place, one] of claims.entries()) {
          const isBlocked = claims.slice(0, place).some((before) => bound.has(before) && meets(before, one));
          expect(bound.has(one)).toBe(!isBlocked);
        }
      }),
      { numRuns: 500 },
    );
  });
});
