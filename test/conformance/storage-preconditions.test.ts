import type { Bucket, PreconditionOptions, Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type StorageServer, startStorage } from '../../local/storage/index.ts';
import { codeOf, connectStorage } from './storage-client.ts';

// The page is https://cloud.google.com/storage/docs/request-preconditions, and for what each parameter means that of
// the method, https://cloud.google.com/storage/docs/json_api/v1/objects/insert.

let server: StorageServer;
let storage: Storage;
let bucket: Bucket;
let buckets = 0;

beforeAll(async () => {
  server = await startStorage({ port: 0, file: ':memory:' });
  storage = connectStorage(server.port);
});

afterAll(() => server.close());

beforeEach(async () => {
  [bucket] = await storage.createBucket(`bucket-${buckets++}`);
});

const contentOf = async (name: string) => String((await bucket.file(name).download())[0]);

async function createObject(): Promise<{ generation: number; metageneration: number }> {
  const file = bucket.file('object');
  await file.save('first');
  return { generation: Number(file.metadata.generation), metageneration: 1 };
}

/** The conditions that hold of an object and those that do not, with what is answered then. */
function conditionsOn({ generation, metageneration }: { generation: number; metageneration: number }) {
  return {
    hold: [
      { ifGenerationMatch: generation },
      { ifGenerationNotMatch: generation + 1 },
      { ifGenerationNotMatch: 0 },
      { ifMetagenerationMatch: metageneration },
      { ifMetagenerationNotMatch: metageneration + 1 },
      { ifGenerationMatch: generation, ifMetagenerationMatch: metageneration },
    ] satisfies PreconditionOptions[],
    fail: [
      [412, { ifGenerationMatch: 0 }],
      [412, { ifGenerationMatch: generation + 1 }],
      [412, { ifMetagenerationMatch: metageneration + 1 }],
      [412, { ifGenerationMatch: generation, ifMetagenerationMatch: metageneration + 1 }],
      [304, { ifGenerationNotMatch: generation }],
      [304, { ifMetagenerationNotMatch: metageneration }],
      [304, { ifGenerationMatch: generation, ifMetagenerationNotMatch: metageneration }],
    ] satisfies [number, PreconditionOptions][],
  };
}

describe('a precondition that does not hold', () => {
  test.each([true, false])('stops an upload, resumable: %s', async (resumable) => {
    const { fail } = conditionsOn(await createObject());
    for (const [code, preconditionOpts] of fail) {
      const save = bucket.file('object').save('second', { resumable, preconditionOpts });
      expect([preconditionOpts, await codeOf(save)]).toEqual([preconditionOpts, code]);
    }
    expect(await contentOf('object')).toBe('first');
  });

  test('stops a change of metadata, a deletion and a read', async () => {
    const object = await createObject();
    for (const [code, conditions] of conditionsOn(object).fail) {
      const file = bucket.file('object');
      expect([conditions, await codeOf(file.setMetadata({ contentType: 'a/b' }, conditions))]).toEqual([
        conditions,
        code,
      ]);
      expect([conditions, await codeOf(file.delete(conditions))]).toEqual([conditions, code]);
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(conditions)) query.set(name, String(value));
      for (const alt of ['json', 'media']) {
        const url = `http://127.0.0.1:${server.port}/storage/v1/b/${bucket.name}/o/object?alt=${alt}&${query}`;
        expect((await fetch(url)).status).toBe(code);
      }
    }
    const [metadata] = await bucket.file('object').getMetadata();
    expect(metadata).toMatchObject({ generation: String(object.generation), metageneration: '1' });
  });

  test('is answered in the shape of the JSON API', async () => {
    await createObject();
    const save = bucket
      .file('object')
      .save('a', { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } });
    await expect(save).rejects.toMatchObject({
      code: 412,
      message: 'At least one of the pre-conditions you specified did not hold.',
      errors: [{ domain: 'global', reason: 'conditionNotMet', locationType: 'header', location: 'If-Match' }],
    });
  });

  test('is any one on an object that does not exist, but ifGenerationMatch=0', async () => {
    const save = (preconditionOpts: PreconditionOptions) =>
      codeOf(bucket.file('object').save('a', { resumable: false, preconditionOpts }));
    expect(await save({ ifGenerationMatch: 1 })).toBe(412);
    expect(await save({ ifGenerationNotMatch: 1 })).toBe(412);
    expect(await save({ ifMetagenerationMatch: 1 })).toBe(412);
    expect(await save({ ifGenerationMatch: 0 })).toBe('succeeded');
    expect(await save({ ifGenerationMatch: 0 })).toBe(412);
  });

  test('stops a copy onto an object, and a copy of one', async () => {
    const object = await createObject();
    await bucket.file('source').save('source');
    const onto = bucket.file('object', { preconditionOpts: { ifGenerationMatch: 0 } });
    expect(
      await codeOf(bucket.file('source').copy(onto, { preconditionOpts: { ifGenerationMatch: 0 } })),
    ).toBe(412);
    expect(
      await codeOf(bucket.combine(['source'], 'object', { ifGenerationMatch: object.generation + 1 })),
    ).toBe(412);
    expect(await codeOf(bucket.file('object', { generation: 7 }).copy('copy'))).toBe(404);
    expect(await contentOf('object')).toBe('first');
  });

  test('stops a change of a bucket', async () => {
    const change = (ifMetagenerationMatch: number) =>
      codeOf(bucket.setMetadata({ labels: { a: 'b' } }, { ifMetagenerationMatch }));
    expect(await change(2)).toBe(412);
    expect(await change(1)).toBe('succeeded');
    expect(await change(1)).toBe(412);
  });
});

test('a precondition that holds stops nothing', async () => {
  for (let index = 0; index < conditionsOn({ generation: 1, metageneration: 1 }).hold.length; index++) {
    const conditions = conditionsOn(await createObject()).hold[index]!;
    expect(await codeOf(bucket.file('object').save('second', { preconditionOpts: conditions }))).toBe(
      'succeeded',
    );
    const again = conditionsOn(await createObject()).hold[index]!;
    expect(await codeOf(bucket.file('object').delete(again))).toBe('succeeded');
  }
});

describe('of writers that race', () => {
  test.each([true, false])('exactly one creates the object, resumable: %s', async (resumable) => {
    const clients = Array.from({ length: 4 }, () => connectStorage(server.port).bucket(bucket.name));
    for (let round = 0; round < 3; round++) {
      const results = await Promise.all(
        Array.from({ length: 16 }, (_, writer) =>
          codeOf(
            clients[writer % clients.length]!.file(`race ${round}`).save(`writer ${writer}`, {
              resumable,
              preconditionOpts: { ifGenerationMatch: 0 },
            }),
          ),
        ),
      );
      expect(results.toSorted()).toEqual([...Array(15).fill(412), 'succeeded']);
      expect(await contentOf(`race ${round}`)).toBe(`writer ${results.indexOf('succeeded')}`);
    }
  });

  test('none overwrites what it has not read', async () => {
    await bucket.file('count').save('0');
    const increment = async () => {
      for (;;) {
        const file = bucket.file('count');
        const [{ generation }] = await file.getMetadata();
        const [content] = await bucket
          .file('count', { generation: Number(generation) })
          .download()
          .catch(() => [undefined]);
        if (content === undefined) continue;
        const code = await codeOf(
          file.save(String(Number(content) + 1), {
            resumable: false,
            preconditionOpts: { ifGenerationMatch: Number(generation) },
          }),
        );
        if (code === 'succeeded') return;
        expect(code).toBe(412);
      }
    };
    await Promise.all(
      Array.from({ length: 4 }, async () => {
        for (let times = 0; times < 4; times++) await increment();
      }),
    );
    expect(await contentOf('count')).toBe('16');
  });

  test('exactly one changes the metadata it has read', async () => {
    await createObject();
    const results = await Promise.all(
      Array.from({ length: 10 }, (_, writer) =>
        codeOf(
          bucket
            .file('object')
            .setMetadata({ metadata: { writer: `${writer}` } }, { ifMetagenerationMatch: 1 }),
        ),
      ),
    );
    expect(results.toSorted()).toEqual([...Array(9).fill(412), 'succeeded']);
  });
});
