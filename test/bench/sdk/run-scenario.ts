import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Outcome } from './figures.ts';
import type { Scenario } from './scenarios.ts';
import type { SendFigures, SendMessage, SendTask } from './send.ts';
import { isOurs } from './senders.ts';
import type { Sink } from './start-sink.ts';

export interface Run {
  readonly sink: Sink;
  readonly sender: string;
  /** The bundled send.ts, and what runs it. */
  readonly program: string;
  readonly node: string;
  readonly peers: string;
  readonly spool: string;
  readonly events: number;
  readonly capMs: number;
}

/** Lets one sender go through one scenario, and asks the sink what came of it. */
export async function runScenario(scenario: Scenario, run: Run): Promise<Outcome> {
  const { sink, sender, events } = run;
  await sink.order({ kind: 'begin', mode: scenario.mode });
  if (scenario.plan === 'killed') return runKilled(run);
  const plan = scenario.plan;
  const process = start(run, { plan, withDefaults: plan === 'burst', events });
  const outage = async () => {
    await sink.order({ kind: 'leave' });
    process.child.send({ goOn: true });
    await sleep(10_000);
    await sink.order({ kind: 'return' });
  };
  let returned = Promise.resolve();
  process.child.on('message', (message: SendMessage) => {
    if (message.kind === 'half') returned = outage();
  });
  const ended = await process.ended;
  await returned;
  // What was under way when it exited.
  await sleep(300);
  return { sender, events, report: await sink.report(events), ...ended };
}

/** Kills a first process at about half, and lets a second one deliver what the first one's calls left in the spool. */
async function runKilled(run: Run): Promise<Outcome> {
  const { sink, sender } = run;
  const first = start(run, { plan: 'until_killed', withDefaults: false, events: run.events });
  const { handedOver } = first;
  const half = new Promise<void>((resolve) => {
    handedOver.onLine = (count) => {
      if (count >= run.events / 2) resolve();
    };
  });
  await Promise.race([half, first.ended]);
  first.child.kill('SIGKILL');
  await first.ended;
  const second = start(run, { plan: 'resume', withDefaults: false, events: 0 });
  const ended = await second.ended;
  await sleep(300);
  const events = handedOver.count;
  return { sender, events, report: await sink.report(events), ...ended };
}

interface Ended {
  readonly figures: SendFigures | undefined;
  readonly stopped: string | undefined;
}

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** How many calls the process said had returned, and who wants to hear of it. */
  readonly handedOver: { count: number; onLine: (count: number) => void };
}

function start(run: Run, task: Pick<SendTask, 'plan' | 'withDefaults' | 'events'>): Started {
  const { sink, sender, spool, capMs } = run;
  const child = spawn(run.node, [run.program], {
    env: { ...process.env, PEERS: run.peers, NODE_ENV: 'production' },
    stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'ipc'],
  });
  // Some write a line for each request that failed: what ended them is in the last ones.
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-2000);
  });
  const handedOver = { count: 0, onLine: (_count: number) => {} };
  (child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
    handedOver.count = Number(text.trimEnd().split('\n').at(-1));
    handedOver.onLine(handedOver.count);
  });
  let figures: SendFigures | undefined;
  let stopped: string | undefined;
  child.on('message', (message: SendMessage) => {
    if (message.kind === 'sent') figures = message.figures;
  });
  const unfollow = sink.follow((seen) => {
    if (child.connected) child.send({ seen }, () => {});
  });
  const timer = setTimeout(() => {
    stopped = `stopped after ${capMs / 1000} s`;
    child.kill('SIGKILL');
  }, capMs);
  const ended = once(child, 'close').then(([code]): Ended => {
    clearTimeout(timer);
    unfollow();
    if (figures === undefined && stopped === undefined) {
      stopped = `ended with ${code}`;
      if (lastWords !== '') process.stderr.write(`${sender}: ${lastWords}\n`);
    } else if (isOurs(sender)) process.stderr.write(lastWords);
    return { figures, stopped };
  });
  child.send({ task: { ...task, sender, spool, closeMs: capMs, url: sink.url } satisfies SendTask });
  return { child, ended, handedOver };
}
