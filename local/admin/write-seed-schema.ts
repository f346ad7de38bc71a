import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { seedSchema } from './seed.ts';

/** The JSON schema of seeds, which editors complete and check them by. */
export function describeSeed(): string {
  const { $schema, ...schema } = z.toJSONSchema(seedSchema, { io: 'input' });
  const description =
    'A seed of the local Admin API. Written by node local/admin/write-seed-schema.ts from seed.ts. Do not edit.';
  return `${JSON.stringify({ $schema, description, ...schema }, null, 2)}\n`;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(new URL('seed.schema.json', import.meta.url), describeSeed());
}
