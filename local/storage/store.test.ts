import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startStorage } from './index.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'storage-'));
});

afterAll(() => rm(folder, { recursive: true }));

test('the space of what was overwritten or deleted is used again', async () => {
  const file = join(folder, 'storage.sqlite');
  const server = await startStorage({ file, port: 0 });
  const base = `http://127.0.0.1:${server.port}`;
  await fetch(`${base}/storage/v1/b?project=p`, { method: 'POST', body: JSON.stringify({ name: 'bucket' }) });
  for (let version = 0; version < 30; version++) {
    const url = `${base}/upload/storage/v1/b/bucket/o?uploadType=media&name=object`;
    expect((await fetch(url, { method: 'POST', body: Buffer.alloc(1_000_000) })).status).toBe(200);
    if (version % 3 === 0) await fetch(`${base}/storage/v1/b/bucket/o/object`, { method: 'DELETE' });
  }
  await server.close();
  expect((await stat(file)).size).toBeLessThan(5_000_000);
});

test('holds its file alone', async () => {
  const file = join(folder, 'alone.sqlite');
  const first = await startStorage({ file, port: 0 });
  await expect(startStorage({ file, port: 0 })).rejects.toThrow('locked');
  await first.close();
});
