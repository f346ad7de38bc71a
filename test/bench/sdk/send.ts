import { writeSync } from 'node:fs';
import { createSampleEvent } from './sample-event.ts';
import { type Sender, senderKinds } from './senders.ts';

// The process that is measured: the bench bundles it to JavaScript, since stripping types would be charged to each sender.

/** What the bench tells it to do: events `from` up to `to`. */
export interface SendTask {
  readonly sender: string;
  readonly url: string;
  readonly spool: string;
  readonly closeMs: number;
  readonly withDefaults: boolean;
  readonly plan: 'paced' | 'burst' | 'outage' | 'until_killed' | 'resume';
  readonly events: number;
}

export type SendMessage =
  | { readonly kind: 'half' }
  | { readonly kind: 'sent'; readonly figures: SendFigures };

export interface SendFigures {
  readonly cpuMicros: number;
  readonly peakBytes: number;
  readonly shutdownMs: number;
}

/** Not yet seen by the sink, at most. */
const outstanding = 2000;

let seen = 0;
let seenAt = 0;
process.on(
  'message',
  (message: { readonly seen?: number; readonly task?: SendTask; readonly goOn?: true }) => {
    if (message.seen !== undefined) {
      seen = message.seen;
      seenAt = performance.now();
    }
    if (message.goOn) goOn();
    if (message.task !== undefined) void run(message.task);
  },
);

let goOn = () => {};

async function run(task: SendTask): Promise<void> {
  const kind = senderKinds.find(({ name }) => name === task.sender);
  if (kind === undefined) throw new Error(`there is no sender ${task.sender}`);
  const before = process.cpuUsage();
  const sender = await kind.create(task);
  await send(sender, task);
  const closing = performance.now();
  await sender.close();
  const shutdownMs = performance.now() - closing;
  const { user, system } = process.cpuUsage(before);
  const peakBytes = process.resourceUsage().maxRSS * 1024;
  const figures = { cpuMicros: user + system, peakBytes, shutdownMs };
  // Exits at once, as a program does that has been told all is delivered.
  process.send?.({ kind: 'sent', figures } satisfies SendMessage, () => process.exit(0));
}

async function send(sender: Sender, { plan, events }: SendTask): Promise<void> {
  if (plan === 'paced') await sendPaced(sender, 0, events);
  if (plan === 'burst') for (let n = 0; n < events; n++) void sender.track(createSampleEvent(n));
  if (plan === 'outage') {
    const half = Math.floor(events / 2);
    await sendPaced(sender, 0, half);
    const away = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    process.send?.({ kind: 'half' } satisfies SendMessage);
    await away;
    // The application does not know that the sink is gone: 1,000 events a second.
    for (let n = half; n < events; n++) {
      void sender.track(createSampleEvent(n));
      if (n % 100 === 99) await pause(100);
    }
  }
  if (plan === 'until_killed') {
    for (let n = 0; n < events; n += 100) {
      const calls = Array.from({ length: 100 }, (_, k) => sender.track(createSampleEvent(n + k)));
      await Promise.all(calls);
      // These calls have returned; the bench reads the last line that was written before the kill.
      writeSync(3, `${n + 100}\n`);
    }
  }
}

async function sendPaced(sender: Sender, from: number, to: number): Promise<void> {
  seenAt = performance.now();
  for (let n = from; n < to; n++) {
    void sender.track(createSampleEvent(n));
    if (n % 100 !== 99) continue;
    await pause(0);
    // Some drop events without a word, and would be waited for in vain.
    while (n + 1 - seen > outstanding && performance.now() - seenAt < 3000) await pause(2);
  }
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));
