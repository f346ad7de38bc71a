import { setTimeout as wait } from 'node:timers/promises';
import { Cron } from 'croner';

/** A job of Cloud Scheduler: a POST without a body, with a token, at the times of a cron expression. */
export interface Job {
  name: string;
  cron: string;
  /** A name of the IANA time zone database. */
  timeZone: string;
  url: string;
  audience: string;
  /** Email of the service account that calls. */
  serviceAccount: string;
  attemptDeadlineSeconds: number;
  /** How often a run that failed is tried again, and how long after. */
  retryCount: number;
  minimumBackoffSeconds: number;
}

/** What came of one run: an answer, or why there was none. */
export type JobRun = { status: number; body: string } | { error: string };

export interface Scheduler {
  /** Runs a job now, as Cloud Scheduler's "Force run" does. Rejects for a name that no job has. */
  run(name: string): Promise<JobRun>;
  close(): void;
}

/**
 * Calls each job when it is due; while a run is under way, or is tried again, the job's next is left out. The time between
 * tries is doubled with each, as Cloud Scheduler does by default.
 */
export function startScheduler(options: {
  jobs: readonly Job[];
  sign: (claims: { audience: string; email: string }) => Promise<string>;
  log: (line: string) => void;
}): Scheduler {
  const { jobs, sign, log } = options;
  const closing = new AbortController();

  const runAt = async (job: Job, scheduledAt: Date): Promise<JobRun> => {
    try {
      const token = await sign({ audience: job.audience, email: job.serviceAccount });
      const response = await fetch(job.url, {
        method: 'POST',
        // The headers that Cloud Scheduler sets: cloud.google.com/scheduler/docs/reference/rest/v1/projects.locations.jobs
        headers: {
          Authorization: `Bearer ${token}`,
          'Content-Type': 'application/octet-stream',
          'User-Agent': 'Google-Cloud-Scheduler',
          'X-CloudScheduler': 'true',
          'X-CloudScheduler-JobName': job.name,
          'X-CloudScheduler-ScheduleTime': scheduledAt.toISOString(),
        },
        signal: AbortSignal.any([closing.signal, AbortSignal.timeout(job.attemptDeadlineSeconds * 1000)]),
      });
      return { status: response.status, body: await response.text() };
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
      return { error: `${error instanceof Error ? error.message : error}${cause}` };
    }
  };

  const untilBackedOff = (seconds: number) =>
    wait(seconds * 1000, undefined, { signal: closing.signal }).catch(() => undefined);

  const running = jobs.map(
    (job) =>
      new Cron(job.cron, { timezone: job.timeZone, protect: true }, async (cron: Cron) => {
        const scheduledAt = cron.currentRun() ?? new Date();
        for (let tries = 0; tries <= job.retryCount; tries++) {
          if (tries > 0) await untilBackedOff(job.minimumBackoffSeconds * 2 ** (tries - 1));
          if (closing.signal.aborted) return;
          const run = await runAt(job, scheduledAt);
          const failure = 'error' in run ? run.error : run.status >= 300 ? `HTTP ${run.status}` : undefined;
          if (failure === undefined) return;
          if (!closing.signal.aborted) log(`${job.name}: ${failure}`);
        }
      }),
  );

  return {
    async run(name) {
      const job = jobs.find((one) => one.name === name);
      if (job === undefined) {
        throw new Error(`There is no job ${name}; the jobs are ${jobs.map((one) => one.name).join(', ')}.`);
      }
      return runAt(job, new Date());
    },
    close() {
      for (const cron of running) cron.stop();
      closing.abort();
    },
  };
}
