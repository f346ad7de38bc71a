import { createServer } from 'node:http';
import { status } from '@grpc/grpc-js';
import { expect, test } from 'vitest';
import { createControl } from './control.ts';
import { ADMIN, refusalOf, startForTest } from './start-for-test.ts';

test('a rehearsal reads the state and the calls, sets faults and changes bindings from another process', async () => {
  const { api, client } = await startForTest();
  const handle = createControl(api, '/_local/admin-api/');
  const server = createServer((request, response) => {
    if (!handle(request, response)) response.writeHead(418).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  const ask = async (verb: string, path: string, body?: object) => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`, {
      method: verb,
      ...(body && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as object };
  };
  const parent = 'properties/102';
  try {
    await ask('POST', '_local/admin-api/bind', { parent, user: 'x@example.com', roles: [ADMIN] });
    expect((await ask('GET', '_local/admin-api/state')).body).toMatchObject({
      bindings: { [parent]: { 'x@example.com': [ADMIN] } },
    });
    await ask('POST', '_local/admin-api/unbind', { parent, user: 'x@example.com' });
    expect(api.state().bindings[parent]).toBeUndefined();
    await ask('POST', '_local/admin-api/faults', [{ answers: 'ABORTED' }]);
    expect((await refusalOf(client.listAccessBindings({ parent }))).code).toBe(status.ABORTED);
    expect((await ask('GET', '_local/admin-api/calls')).body).toMatchObject({
      calls: [{ method: 'ListAccessBindings', answer: 'ABORTED', parent }],
    });
    expect((await ask('POST', '_local/admin-api/faults', [{ answers: 'WRONG' }])).status).toBe(400);
    expect((await ask('GET', '_local/admin-api/nothing')).status).toBe(404);
    expect((await ask('GET', 'other')).status).toBe(418);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
