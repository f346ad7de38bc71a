import { type Captured, canonical } from './captured.ts';
import { type CapturedEvent, readCaptures } from './replay-captures.ts';

const requests = readCaptures('analysys');

/** The events as the SDKs sent them; those that one request holds twice count twice. */
export const sentEvents: readonly CapturedEvent[] = (() => {
  const most = new Map<string, { event: CapturedEvent; times: number }>();
  for (const { decoded } of requests) {
    const inRequest = new Map<string, number>();
    for (const event of decoded) {
      const identity = canonical(event);
      inRequest.set(identity, (inRequest.get(identity) ?? 0) + 1);
      const times = Math.max(inRequest.get(identity) ?? 0, most.get(identity)?.times ?? 0);
      most.set(identity, { event, times });
    }
  }
  return [...most.values()].flatMap(({ event, times }) => Array.from({ length: times }, () => event));
})();

const isTrack = ({ xwhat }: CapturedEvent) => !/^\$(alias|profile_)/.test(xwhat);
export const debugOf = ({ xcontext }: CapturedEvent) => xcontext.$debug ?? 0;
export const countedEvents = sentEvents.filter((event) => isTrack(event) && debugOf(event) !== 1);

/** Every request that was recorded from a real Analysys SDK. */
export const analysysCaptured: Captured = {
  vendor: 'Analysys',
  dialect: 'analysys',
  requests,
  success: { status: 200, body: '{"code":200}' },
  all: sentEvents,
  counted: countedEvents,
  state: sentEvents.filter((event) => !isTrack(event)),
  stateWhere: 'TRUE',
  leastCopies: sentEvents.length,
  columns: `event_id, kind, project, name, user_id, anonymous_id, debug, platform, sdk, sdk_version, session_id,
    UNIX_MILLIS(occurred_at) AS millis, TO_JSON_STRING(properties) AS properties, TO_JSON_STRING(context) AS context`,
  rebuild(row) {
    const kind = String(row.kind);
    return {
      appid: row.project,
      xwho: kind === 'alias' ? row.user_id : (row.user_id ?? row.anonymous_id),
      xwhat: kind === 'track' ? row.name : `$${kind}`,
      xwhen: Number(row.millis),
      xcontext: { ...JSON.parse(String(row.properties)), ...JSON.parse(String(row.context)) },
    };
  },
};
