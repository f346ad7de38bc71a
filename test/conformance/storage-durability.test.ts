import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startStorage } from '../../local/storage/index.ts';
import { connectStorage } from './storage-client.ts';

// "Cloud Storage provides strong global consistency", https://cloud.google.com/storage/docs/consistency, and keeps what
// it has acknowledged: here even when its process is killed.

describe('a server that is killed', () => {
  let folder: string;
  let file: string;
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'storage-'));
    file = join(folder, 'storage.sqlite');
  });

  afterEach(async () => {
    child?.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  async function spawnServer(): Promise<number> {
    const script = join(import.meta.dirname, '../../local/storage/serve-for-test.ts');
    child = spawn(process.execPath, [script, file, '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [line] = await once(child.stdout!, 'data');
    return Number(String(line));
  }

  async function kill(): Promise<void> {
    child?.kill('SIGKILL');
    await once(child!, 'exit');
  }

  test('has every object that was answered, whole, and nothing of an upload under way (consistency)', async () => {
    const port = await spawnServer();
    const storage = connectStorage(port, { retryOptions: { autoRetry: false } });
    const [victim] = await storage.createBucket('victim');
    const half = request({
      port,
      method: 'POST',
      path: '/upload/storage/v1/b/victim/o?uploadType=media&name=half',
      headers: { 'content-length': 1_000_000 },
    });
    half.on('error', () => {});
    half.write(Buffer.alloc(500_000));

    const contentFor = (name: string) => name.repeat(2000);
    const answered: string[] = [];
    let killed = false;
    const writeWithoutEnd = async (writer: number) => {
      for (let index = 0; !killed; index++) {
        const name = `${writer}-${index}`;
        await victim.file(name).save(contentFor(name), { resumable: index % 2 === 0 });
        if (!killed) answered.push(name);
        if (answered.length === 80) {
          killed = true;
          await kill();
        }
      }
    };
    await Promise.all([0, 1, 2, 3].map((writer) => writeWithoutEnd(writer).catch(() => {})));
    expect(answered).toHaveLength(80);

    const again = await startStorage({ file, port: 0 });
    const survivor = connectStorage(again.port).bucket('victim');
    const [files] = await survivor.getFiles();
    const names = files.map(({ name }) => name);
    expect(answered.filter((name) => !names.includes(name))).toEqual([]);
    expect(names).not.toContain('half');
    for (const name of names) {
      expect(String((await survivor.file(name).download({ validation: 'md5' }))[0])).toBe(contentFor(name));
    }
    // Generations go on where they were.
    const last = Math.max(...files.map(({ metadata }) => Number(metadata.generation)));
    await survivor.file('new').save('a');
    expect(Number((await survivor.file('new').getMetadata())[0].generation)).toBeGreaterThan(last);
    await again.close();
  });

  test('goes on with a resumable upload where it was (performing-resumable-uploads)', async () => {
    const [created] = await connectStorage(await spawnServer()).createBucket('resumed');
    const [uri] = await created.file('object').createResumableUpload();
    const put = (address: string, body: Buffer, range: string) =>
      fetch(address, {
        method: 'PUT',
        body: new Uint8Array(body),
        headers: { 'content-range': range },
        redirect: 'manual',
      });
    const unit = 256 * 1024;
    await put(uri, Buffer.alloc(unit, 'a'), `bytes 0-${unit - 1}/*`);
    await kill();

    const again = await startStorage({ file, port: 0 });
    const address = new URL(uri);
    address.port = String(again.port);
    const state = await put(address.href, Buffer.alloc(0), 'bytes */*');
    expect([state.status, state.headers.get('range')]).toEqual([308, `bytes=0-${unit - 1}`]);
    const end = await put(address.href, Buffer.from('end'), `bytes ${unit}-${unit + 2}/${unit + 3}`);
    expect(end.status).toBe(200);
    const [content] = await connectStorage(again.port).bucket('resumed').file('object').download();
    expect(String(content)).toBe(`${'a'.repeat(unit)}end`);
    await again.close();
  });
});
