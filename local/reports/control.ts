import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { z } from 'zod';
import { send } from './answer.ts';
import { faultRuleSchema } from './faults.ts';
import { expressionSchema } from './google-analytics/request.ts';
import { createServiceAccountKey } from './oauth/service-account-key.ts';
import { answerAt, channelTruthOf, truthOf } from './truth-of.ts';
import type { World } from './world.ts';

const PREFIX = '/_local/reports';

export function isControlPath(pathname: string): boolean {
  return pathname === PREFIX || pathname.startsWith(`${PREFIX}/`);
}

const instant = z.iso.datetime();
const names = z.array(z.string());
const clockSchema = z.union([
  z.strictObject({ set: instant }),
  z.strictObject({ advanceSeconds: z.number() }),
  z.strictObject({ release: z.literal(true) }),
]);
const truthSchema = z.strictObject({
  propertyId: z.string(),
  from: z.iso.date(),
  to: z.iso.date(),
  dimensions: names,
  metrics: names,
  dimensionFilter: expressionSchema.optional(),
  at: instant.optional(),
});
const channelTruthSchema = z.strictObject({
  channelIds: names,
  from: z.iso.date(),
  to: z.iso.date(),
  dimensions: names,
  metrics: names,
  filters: z.record(z.string(), names).optional(),
  at: instant.optional(),
});
const answerSchema = z.strictObject({
  propertyId: z.string(),
  request: z.record(z.string(), z.unknown()),
  at: instant,
});

/** What stands in the way of the calls: clock, faults, tokens; and what they are held against: the truth. */
export async function serveControl(
  world: World,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const call = `${request.method} ${url.pathname.slice(PREFIX.length)}`;
  const { clock, faults, tokens } = world;
  const answer = (body: object) => send(response, { status: 200, body });
  const take = async <T>(schema: z.ZodType<T>, act: (body: T) => object): Promise<void> => {
    const parsed = schema.safeParse(parseJson(await text(request)));
    if (!parsed.success) {
      return send(response, { status: 400, body: { error: z.prettifyError(parsed.error) } });
    }
    try {
      answer(act(parsed.data));
    } catch (error) {
      send(response, {
        status: 400,
        body: { error: error instanceof Error ? error.message : String(error) },
      });
    }
  };
  const now = () => ({ now: new Date(clock.now()).toISOString() });
  switch (call) {
    case 'GET ':
      return answer({
        ...now(),
        properties: [...world.properties].map(([id, { quota }]) => ({ id, used: quota.used(clock.now()) })),
        channels: [...world.channels.keys()],
        youtube: world.youtubeQuota.used(clock.now()),
        calls: Object.fromEntries(world.calls),
        faults: faults.list(),
      });
    case 'POST /clock':
      return take(clockSchema, (body) => {
        if ('set' in body) clock.set(body.set);
        else if ('advanceSeconds' in body) clock.advance(body.advanceSeconds * 1000);
        else clock.release();
        return now();
      });
    case 'POST /faults':
      return take(z.strictObject({ rules: z.array(z.unknown()) }), ({ rules }) => {
        faults.set(rules.map((rule) => faultRuleSchema.parse(rule)));
        return { rules: faults.list() };
      });
    case 'DELETE /calls':
      world.calls.clear();
      return answer({});
    case 'POST /revoke':
      return take(z.strictObject({ refreshToken: z.string() }), ({ refreshToken }) => {
        tokens.revoke(refreshToken);
        return {};
      });
    case 'POST /expire-tokens':
      tokens.expireAll();
      return answer({});
    case 'POST /service-account-key':
      return take(z.strictObject({ email: z.string() }), ({ email }) =>
        createServiceAccountKey(world, email, `http://${request.headers.host ?? '127.0.0.1'}/token`),
      );
    case 'POST /truth':
      return take(z.union([truthSchema, channelTruthSchema]), (query) =>
        'propertyId' in query ? truthOf(world, defined(query)) : channelTruthOf(world, defined(query)),
      );
    case 'POST /answer':
      return take(answerSchema, ({ propertyId, request: report, at }) =>
        answerAt(world, propertyId, report, at),
      );
    default:
      return send(response, { status: 404, body: { error: `There is no ${call} here.` } });
  }
}

/** Without the keys whose value is undefined, which zod's optional ones may be. */
type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> };
function defined<T extends object>(value: T): Defined<T> {
  return Object.fromEntries(Object.entries(value).filter(([, it]) => it !== undefined)) as Defined<T>;
}

function parseJson(body: string): unknown {
  try {
    return body.trim() === '' ? {} : (JSON.parse(body) as unknown);
  } catch {
    return undefined;
  }
}
