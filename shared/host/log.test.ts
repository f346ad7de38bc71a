import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { describeError, readTrace } from './log.ts';

const trace = '0123456789abcdef0123456789abcdef';

function traceOf(headers: Record<string, string>) {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  return readTrace(request);
}

const fields = (span: string | undefined, isSampled: boolean) => ({
  'logging.googleapis.com/trace': trace,
  ...(span === undefined ? {} : { 'logging.googleapis.com/spanId': span }),
  'logging.googleapis.com/trace_sampled': isSampled,
});

describe('the trace of a request', () => {
  test.each([
    [`00-${trace}-00f067aa0ba902b7-01`, fields('00f067aa0ba902b7', true)],
    [`00-${trace}-00f067aa0ba902b7-00`, fields('00f067aa0ba902b7', false)],
    [`cc-${trace}-00f067aa0ba902b7-03-of a later version`, fields('00f067aa0ba902b7', true)],
    [`ff-${trace}-00f067aa0ba902b7-01`, {}],
    [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, {}],
    [`00-${trace}-${'0'.repeat(16)}-01`, {}],
    [`00-${trace}-00f067aa0ba902b7-01x`, {}],
    ['secret', {}],
  ])('is read from traceparent %s', (traceparent, expected) => {
    expect(traceOf({ traceparent })).toEqual(expected);
  });

  test.each([
    // A span is decimal here, and Cloud Logging wants it hexadecimal.
    [`${trace}/74;o=1`, fields('000000000000004a', true)],
    [`${trace.toUpperCase()}/18446744073709551615;o=0`, fields('ffffffffffffffff', false)],
    [`${trace}/18446744073709551616;o=1`, fields(undefined, true)],
    [`${trace}/0`, fields(undefined, false)],
    [trace, fields(undefined, false)],
    [`${trace};o=1`, fields(undefined, true)],
    [`${trace}0`, {}],
    ['secret', {}],
  ])('is read from X-Cloud-Trace-Context %s', (value, expected) => {
    expect(traceOf({ 'x-cloud-trace-context': value })).toEqual(expected);
  });

  test('is that of traceparent where both are given, and of the other where that one is broken', () => {
    const other = 'f'.repeat(32);
    const cloud = { 'x-cloud-trace-context': `${trace}/74;o=1` };
    expect(traceOf({ ...cloud, traceparent: `00-${other}-00f067aa0ba902b7-00` })).toMatchObject({
      'logging.googleapis.com/trace': other,
    });
    expect(traceOf({ ...cloud, traceparent: 'secret' })).toEqual(fields('000000000000004a', true));
  });
});

describe('what is logged of an error', () => {
  test('is its name, code, message and frames', () => {
    expect(describeError(Object.assign(new TypeError('too bad'), { code: 14 }))).toEqual({
      error: {
        name: 'TypeError',
        code: 14,
        message: 'too bad',
        frames: expect.arrayContaining([expect.stringMatching(/^at .*log\.test\.ts:\d+:\d+\)?$/)]),
      },
    });
  });

  test.each([
    () => JSON.parse('{"secret": secret}'),
    () => BigInt('secret'),
    () => new URL('secret'),
    () => Buffer.from('x', 'secret' as BufferEncoding),
    () => JSON.parse('\n    at secret (secret.ts:1:1)\n'),
    () => {
      throw 'secret';
    },
  ])('is not what it quotes: %s', (fail) => {
    let thrown: unknown;
    try {
      fail();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeDefined();
    const { error } = describeError(thrown) as { error: { message?: string; frames?: string[] } };
    expect(error.message ?? '').not.toMatch(/"?secret/);
    expect(error.frames ?? []).not.toContainEqual(expect.stringContaining('secret.ts'));
  });
});
