import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { deriveFiles } from './derive-files.ts';

test.each([...deriveFiles()])('%s is what npm run generate writes', (path, text) => {
  expect(readFileSync(resolve(import.meta.dirname, '..', path), 'utf8')).toBe(text);
});
