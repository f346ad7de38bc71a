import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningReportsApis, startReportsApis } from '../local/reports/index.ts';
import { seedSchema } from '../local/reports/seed.ts';
import { createOwnerAuthorizer } from '../shared/google/youtube.ts';
import { authorizeOwner } from './reports-authorize.ts';

const client = { clientId: 'desktop-client', clientSecret: 'desktop-secret' };
let apis: RunningReportsApis;
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  apis = await startReportsApis({
    port: 0,
    seed: seedSchema.parse({
      seed: 1,
      contentOwners: [{ id: 'ExampleNetwork', displayName: 'Example Network' }],
      credentials: [
        {
          ...client,
          refreshToken: '1//from-consent',
          email: 'owner@example.com',
          owners: ['ExampleNetwork'],
        },
      ],
    }),
  });
  environment = { LOCAL_GOOGLE_APIS: `127.0.0.1:${apis.port}` };
});
afterAll(() => apis.close());

/** A browser in which somebody agrees, or does what `change` makes of the address. */
const agree = (change: (url: URL) => void = () => {}) => {
  const pages: Promise<Response>[] = [];
  return {
    pages,
    show(text: string) {
      const url = new URL(text);
      change(url);
      pages.push(fetch(url));
    },
  };
};

describe('a content owner that agrees', () => {
  test('gives a credential that reports are read with', async () => {
    const browser = agree();
    const { credential, owners } = await authorizeOwner(client, {
      ...browser,
      withinMs: 20_000,
      environment,
    });
    expect(owners).toEqual(['ExampleNetwork (Example Network)']);
    expect(credential).toEqual({
      type: 'authorized_user',
      client_id: 'desktop-client',
      client_secret: 'desktop-secret',
      refresh_token: '1//from-consent',
    });
    expect(await (await browser.pages[0])?.text()).toMatch(/^Authorized/);
    const stored = { ...environment, OWNER_TOKEN: JSON.stringify(credential) };
    const headers = await createOwnerAuthorizer('OWNER_TOKEN', stored).headers(Date.now());
    const answer = await fetch(`${apis.url}/youtube/partner/v1/contentOwners?fetchMine=true`, { headers });
    expect(answer.status).toBe(200);
  });

  test('is asked for a refresh token, with a state and a challenge of its own each time', async () => {
    const seen: URL[] = [];
    for (let times = 0; times < 2; times++) {
      await authorizeOwner(client, { ...agree((url) => seen.push(url)), withinMs: 20_000, environment });
    }
    const [one, other] = seen.map(({ searchParams }) => Object.fromEntries(searchParams));
    expect(one).toMatchObject({
      access_type: 'offline',
      prompt: 'consent',
      response_type: 'code',
      code_challenge_method: 'S256',
      redirect_uri: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    });
    expect(one?.state).not.toBe(other?.state);
    expect(one?.code_challenge).not.toBe(other?.code_challenge);
  });
});

test('one that declines is told of, and nothing is stored', async () => {
  const browser = agree((url) => url.searchParams.set('login_hint', 'deny'));
  await expect(authorizeOwner(client, { ...browser, withinMs: 20_000, environment })).rejects.toThrow(
    'Nobody agreed: access_denied.',
  );
});

test('one who comes back without the state is not believed, and the consent goes on', async () => {
  const answers: Promise<number>[] = [];
  const { credential } = await authorizeOwner(client, {
    show(text) {
      const back = new URL(new URL(text).searchParams.get('redirect_uri') ?? '');
      back.searchParams.set('code', 'of-somebody-else');
      back.searchParams.set('state', 'guessed');
      answers.push(
        fetch(back).then(async ({ status }) => {
          await fetch(text);
          return status;
        }),
      );
    },
    withinMs: 20_000,
    environment,
  });
  expect(await answers[0]).toBe(400);
  expect(credential.refresh_token).toBe('1//from-consent');
});

test('nobody is waited for longer than was said', async () => {
  await expect(authorizeOwner(client, { show() {}, withinMs: 1, environment })).rejects.toThrow(/in time/);
});
