import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { findFreePorts } from './ports.ts';

const execute = promisify(execFile);

test('ports that are found are all different, also by processes that look at one time and before anything listens', async () => {
  const file = fileURLToPath(new URL('ports.ts', import.meta.url));
  const script = `import { findFreePorts } from ${JSON.stringify(file)}; console.log(JSON.stringify(await findFreePorts(15)));`;
  const others = Promise.all(
    [1, 2, 3].map(() => execute(process.execPath, ['--input-type=module', '-e', script])),
  );
  const own = [...(await findFreePorts(15)), ...(await findFreePorts(15))];
  const all = [...own, ...(await others).flatMap(({ stdout }) => JSON.parse(stdout) as number[])];
  expect(all).toHaveLength(75);
  expect(new Set(all).size).toBe(75);
});

test('a port that somebody listens on is passed over', async () => {
  const [port = 0] = await findFreePorts(1);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(port + 1, '127.0.0.1', resolve));
  expect(await findFreePorts(1)).not.toEqual([port + 1]);
  server.close();
});
