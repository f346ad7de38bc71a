import { rmSync } from 'node:fs';
import { startLocal } from '../../local/index.ts';
import { untilDelivered } from '../warehouse-of.ts';
import { drainSpill } from './drain-spill.ts';
import { ackDeadlineSeconds, readFigures, timeScale } from './kill.ts';
import { sendNumbered } from './numbered-events.ts';

export interface RefusalOptions {
  readonly folder: string;
  readonly events: number;
  /** How long BigQuery refuses every append, in simulated seconds. */
  readonly refusedSeconds: number;
  readonly progress: (line: string) => void;
}

export interface RefusalFigures {
  readonly sent: number;
  readonly refusedSeconds: number;
  readonly failedPushes: number;
  readonly inEvents: number;
  readonly missing: number;
  readonly double: number;
  readonly deadLettered: number;
  readonly quarantined: number;
}

/** BigQuery refuses every append for a while; afterwards nothing may be lost, double or dead-lettered. */
export async function proveRefusal(options: RefusalOptions): Promise<RefusalFigures> {
  const { folder, events, refusedSeconds, progress } = options;
  const perRequest = 20;
  const requests = Math.ceil(events / perRequest);
  const cloud = await startLocal({
    dataDir: folder,
    ports: 'free',
    functions: ['ingest', 'load', 'replay'],
    timeScale,
    faults: { bigquery: { refuseAppends: true } },
    environment: { load: { ACK_DEADLINE_SECONDS: ackDeadlineSeconds } },
  });
  try {
    const began = performance.now();
    await sendNumbered({
      url: cloud.urls.ingest,
      traffic: { startedAt: Date.now() - 3_600_000, perRequest },
      from: 0,
      to: requests,
      concurrency: 8,
      requestsPerSecond: 100,
      stopped: () => false,
      onProgress: () => {},
    });
    for (;;) {
      const passed = ((performance.now() - began) / 1000) * timeScale;
      if (passed >= refusedSeconds) break;
      progress(
        `BigQuery has refused everything for ${Math.round(passed / 60)} of ${Math.round(refusedSeconds / 60)} minutes`,
      );
      await new Promise((resolve) =>
        setTimeout(resolve, Math.min(20_000, ((refusedSeconds - passed) / timeScale) * 1000 + 10)),
      );
    }
    const { subscriptions } = await cloud.counts();
    const failedPushes = Object.values(subscriptions).reduce((sum, { failed }) => sum + failed, 0);
    progress('BigQuery accepts again; waiting until all is delivered');
    await cloud.setFaults({ bigquery: { refuseAppends: false } });
    await drainSpill(cloud);
    await untilDelivered(cloud, 900_000);
    const { inEvents, missing, double, deadLettered, quarantined } = await readFigures(
      cloud,
      requests * perRequest,
    );
    return {
      sent: requests * perRequest,
      refusedSeconds,
      failedPushes,
      inEvents,
      missing,
      double,
      deadLettered,
      quarantined,
    };
  } finally {
    await cloud.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
