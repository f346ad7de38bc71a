import { randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { z } from 'zod';
import { beginConsent, type OAuthClient, type StoredCredential } from '../shared/google/youtube-consent.ts';
import { CommandFailed, readFlags } from './terminal.ts';

const help = `Lets the account of a YouTube content owner agree that its reports are read, and gives the credential to store.

Usage: npm run reports -- authorize OWNER --client FILE [FLAGS]

  OWNER               its key in contentOwners of the configuration
  --client FILE       the OAuth client: the JSON that Google's console gives for a client of type desktop app
  --out FILE          writes the credential there, for its owner only to read; without, to the standard output
  --minutes NUMBER    how long to wait for the consent                      10
  --help              this text

Open the address that is shown in a browser on this machine, as a user who manages the content owner.
`;

const clientFile = z.object({ installed: z.object({ client_id: z.string(), client_secret: z.string() }) });

/** The command: reads its flags, and tells on the standard error what to do and where to store what comes of it. */
export async function authorizeCommand(args: string[]): Promise<number> {
  const [owner = '', ...rest] = args[0]?.startsWith('-') === false ? args : ['', ...args];
  const flags = readFlags(
    rest,
    {
      client: { type: 'string' },
      out: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      help: { type: 'boolean', short: 'h' },
    },
    help,
  );
  if (flags.help) {
    process.stdout.write(help);
    return 0;
  }
  if (!/^[a-z0-9][a-z0-9._-]*$/.test(owner)) throw new CommandFailed(`OWNER is missing.\n\n${help}`);
  if (flags.client === undefined) throw new CommandFailed(`--client is missing.\n\n${help}`);
  if (!/^[1-9]\d{0,3}$/.test(flags.minutes)) {
    throw new CommandFailed(`--minutes must be a whole number from 1, not ${JSON.stringify(flags.minutes)}.`);
  }
  const client = await readClient(flags.client);
  const { credential, owners } = await authorizeOwner(client, {
    show: (url) => process.stderr.write(`Open this address and agree:\n\n  ${url}\n\n`),
    withinMs: Number(flags.minutes) * 60_000,
    environment: process.env,
  });
  const text = `${JSON.stringify(credential, null, 2)}\n`;
  if (flags.out === undefined) process.stdout.write(text);
  else await writeFile(flags.out, text, { mode: 0o600 });
  process.stderr.write(describeNext(owner, owners, flags.out));
  return 0;
}

interface AuthorizeOptions {
  /** Told where to agree. */
  readonly show: (url: string) => void;
  readonly withinMs: number;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Waits on a port of this machine for the browser that comes back from the consent. Only one who brings the state of
 * this very consent is believed. Rejects with CommandFailed where nobody agrees.
 */
export async function authorizeOwner(
  client: OAuthClient,
  { show, withinMs, environment }: AuthorizeOptions,
): Promise<{ credential: StoredCredential; owners: readonly string[] }> {
  const state = randomBytes(32).toString('base64url');
  const came = Promise.withResolvers<string>();
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://127.0.0.1');
    const answer = (status: number, text: string) =>
      response
        .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', connection: 'close' })
        .end(text);
    if (url.pathname !== '/') return answer(404, 'Not found.');
    if (!isSame(url.searchParams.get('state') ?? '', state)) {
      return answer(400, 'This is not the consent that was begun here.');
    }
    const error = url.searchParams.get('error');
    const code = url.searchParams.get('code');
    if (code === null) {
      came.reject(new CommandFailed(`Nobody agreed: ${error ?? 'no code came back'}.`));
      return answer(200, 'Not authorized. This window may be closed.');
    }
    came.resolve(code);
    return answer(200, 'Authorized. This window may be closed.');
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const timer = setTimeout(
    () =>
      came.reject(new CommandFailed('Nobody agreed in time. Begin again, or wait longer with --minutes.')),
    withinMs,
  );
  try {
    const address = server.address();
    const port = address !== null && typeof address === 'object' ? address.port : 0;
    const consent = await beginConsent(client, `http://127.0.0.1:${port}`, state, environment);
    show(consent.url);
    return await consent.redeem(await came.promise);
  } finally {
    clearTimeout(timer);
    server.close();
    server.closeIdleConnections();
  }
}

function isSame(given: string, expected: string): boolean {
  const [one, other] = [Buffer.from(given), Buffer.from(expected)];
  return one.length === other.length && timingSafeEqual(one, other);
}

async function readClient(path: string): Promise<OAuthClient> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new CommandFailed(`${path} cannot be read.`, { cause });
  });
  const parsed = clientFile.safeParse(parseJson(text));
  if (!parsed.success) {
    throw new CommandFailed(
      `${path} is no OAuth client of type desktop app: it has no installed.client_id and client_secret.`,
    );
  }
  const { client_id: clientId, client_secret: clientSecret } = parsed.data.installed;
  return { clientId, clientSecret };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describeNext(owner: string, owners: readonly string[], out: string | undefined): string {
  const variable = `YOUTUBE_${owner.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`;
  const from = out ?? 'FILE';
  return `
The account manages: ${owners.join(', ') || 'no content owner that it may list'}.

The credential reads the reports of ${owner} until it is revoked: store it as a secret, and nowhere else.
  gcloud secrets create reports-${owner} --data-file=${from}
  (gcloud secrets versions add reports-${owner} --data-file=${from}, where there is one already)
Give reports-poll and reports-pull the secret as the environment variable ${variable} or as a file, and name that in the configuration:
  contentOwners: [{ key: ${owner}, id: ${owners[0]?.split(' ')[0] ?? 'CONTENT_OWNER_ID'}, credential: ${variable} }]
`;
}
