import { describe, expect, test } from 'vitest';
import { json } from '../codecs/json.ts';
import { toLines } from '../delivery/event-lines.ts';
import { createAnalysysRoute } from './analysys-route.ts';
import { createGrowingRoute } from './growing-route.ts';
import { createTributaryRoute } from './tributary-route.ts';

const analysys = createAnalysysRoute('shop');
const growing = createGrowingRoute('event', 'shop', json);
const own = createTributaryRoute('shop');

describe('an answer of Analysys', () => {
  test.each([
    { body: '{"code":200}', kind: 'delivered' },
    { body: '{ "code": 200 }', kind: 'delivered' },
    { body: 'H4sIAAAAAAAAAKtWSs5PSVWyMjIwqAUAVAOW6gwAAAA=', kind: 'delivered' },
    { body: '', kind: 'delivered' },
    { body: '{"code":500}', kind: 'failed' },
    { body: '<html>maintenance</html>', kind: 'failed' },
    { body: '{"code":420,"msg":"Data Decrypt Error.."}', kind: 'refused' },
  ])('with 200 and $body means $kind', ({ body, kind }) => {
    expect(analysys.judge(200, body, 3).kind).toBe(kind);
  });

  test('with a redirect or 4xx means refused', () => {
    expect(analysys.judge(302, '', 3).kind).toBe('refused');
    expect(analysys.judge(403, 'no', 3)).toEqual({
      kind: 'refused',
      detail: 'the server answered 403: no',
    });
  });
});

test('any 2xx of GrowingIO means delivered, whatever its body, and a redirect stores nothing', () => {
  expect([200, 204].map((status) => growing.judge(status, 'x', 1).kind)).toEqual(['delivered', 'delivered']);
  expect([301, 400].map((status) => growing.judge(status, '', 1).kind)).toEqual(['refused', 'refused']);
});

describe('an answer of our own API', () => {
  const verdict = { index: 0, verdict: 'accepted', event_id: 'e' };
  const answer = (...verdicts: object[]) => JSON.stringify({ receipt: {}, verdicts });

  test('has a verdict for each event', () => {
    expect(own.judge(200, answer(verdict, { ...verdict, index: 1 }), 2)).toEqual({
      kind: 'delivered',
      verdicts: [verdict, { ...verdict, index: 1 }],
    });
  });

  test('that quarantines the whole request is final, and says why', () => {
    const whole = { index: null, verdict: 'quarantined', reason: 'invalid_json', detail: 'mend the sender' };
    expect(own.judge(400, answer(whole), 2)).toEqual({ kind: 'refused', detail: 'mend the sender' });
    expect(own.judge(401, 'no key', 2)).toEqual({
      kind: 'refused',
      detail: 'the server answered 401: no key',
    });
  });

  test('that is not JSON is a gateway’s, and nothing is taken for delivered', () => {
    expect(own.judge(200, '<html>', 1).kind).toBe('failed');
    expect(own.judge(200, '{"verdicts":"?"}', 1)).toEqual({ kind: 'delivered' });
  });
});

test('a route gives the same bytes for the same events and time', () => {
  const events = toLines(['{"a":1}', '{"b":"é"}']);
  for (const route of [analysys, growing, own])
    expect(route.encode(events, 5)).toEqual(route.encode(events, 5));
});

test('projects have routes of their own names', () => {
  expect([analysys, growing, own, createAnalysysRoute('店/&')].map(({ name }) => name)).toEqual([
    'analysys/shop',
    'growingio/shop/collect',
    'tributary/shop',
    'analysys/%E5%BA%97%2F%26',
  ]);
});
