import { post } from '../http-post.ts';

/** Events that carry their number, so that any that is lost or doubled can be named. */
export interface NumberedTraffic {
  /** Milliseconds since 1970 of the first event; part of the events' identity, so kept across a resume. */
  readonly startedAt: number;
  readonly perRequest: number;
}

/** The body of request `index`; the same for every call, as a sender that repeats itself has it. */
export function numberedBody({ startedAt, perRequest }: NumberedTraffic, index: number): string {
  const events = Array.from({ length: perRequest }, (_, place) => {
    const number = index * perRequest + place;
    return {
      appid: 'proof',
      xwho: `person-${number % 997}`,
      xwhat: 'numbered',
      xwhen: startedAt + Math.floor(number / 100),
      xcontext: { number, text: `event ${number} 跑步机`, $lib: 'proof', $is_login: true },
    };
  });
  return JSON.stringify(events);
}

/** Sends requests `from` to `to` with a few at once, each again and again until it is answered 200. */
export async function sendNumbered(options: {
  url: string;
  traffic: NumberedTraffic;
  from: number;
  to: number;
  concurrency: number;
  requestsPerSecond: number;
  /** While it says so, one request is sent a second. */
  slowly?: () => boolean;
  stopped: () => boolean;
  /** `answered` counts from `from`; up to `inARow` there is no gap, so a resume may start there. */
  onProgress: (progress: { answered: number; inARow: number }) => void;
}): Promise<{ resends: number }> {
  const { url, traffic, from, to, concurrency, requestsPerSecond, stopped, onProgress } = options;
  let dueAt = performance.now();
  let answered = 0;
  let next = from;
  let resends = 0;
  const done = new Set<number>();
  let answeredUpTo = from;
  const one = async () => {
    while (next < to && !stopped()) {
      const index = next++;
      const early = dueAt - performance.now();
      dueAt = Math.max(dueAt, performance.now()) + 1000 / (options.slowly?.() ? 1 : requestsPerSecond);
      if (early > 0) await new Promise((resolve) => setTimeout(resolve, early));
      const body = numberedBody(traffic, index);
      while (!stopped() && !(await isAccepted(url, body))) {
        resends++;
        await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
      }
      done.add(index);
      while (done.delete(answeredUpTo)) answeredUpTo++;
      answered++;
      onProgress({ answered, inARow: answeredUpTo });
    }
  };
  await Promise.all(Array.from({ length: concurrency }, one));
  return { resends };
}

async function isAccepted(url: string, body: string): Promise<boolean> {
  try {
    const answer = await post(`${url}/up`, body, 20_000);
    return answer.status === 200 && answer.body === '{"code":200}';
  } catch {
    return false;
  }
}
