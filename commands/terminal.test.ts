import { expect, test } from 'vitest';
import { z } from 'zod';
import { CommandFailed, describeFailure } from './terminal.ts';

test('an answer of a function of another version is told as that, with the place, and not as a dump', () => {
  const answer = z.object({ entities: z.array(z.object({ quota: z.array(z.string()) })) });
  const { error } = answer.safeParse({ entities: [{}] });
  expect(describeFailure(error)).toMatch(
    /^The function answered what .* Build or deploy it anew\. \(entities\.0\.quota: [^{}]*\)$/,
  );
});

test('what a command says itself is told as it is', () => {
  expect(describeFailure(new CommandFailed('OWNER is missing.'))).toBe('OWNER is missing.');
});
