import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, parse } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type LocalCloud, startLocal } from '../../local/index.ts';
import { deadLetterHold, deadLetterTopic } from '../../local/queues.ts';
import { readDeployables } from '../../shared/deployables.ts';
import { ROOT } from '../repository-files.ts';
import type { Deployment } from './contract/deployment.ts';
import { describeLaptop } from './contract/describe-laptop.ts';
import { describePlan, likeOnLaptop } from './contract/describe-plan.ts';
import { type Plan, readPlan } from './policies/plan.ts';
import { plannedFunctions } from './policies/planned-functions.ts';
import { planInfra, prepareInfra } from './prepare-infra.ts';
import { startProvider } from './provider/start-provider.ts';
import { readVariables } from './read-variables.ts';
import { hasTerraform, NOT_VERIFIED, runTerraform } from './terraform.ts';

const deployables = readDeployables();
let dataDir: string;
let cloud: LocalCloud;
let laptop: Deployment;

beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'tributary-contract-'));
  cloud = await startLocal({ dataDir, ports: 'free' });
  laptop = await describeLaptop(cloud);
});
afterAll(async () => {
  await cloud?.close();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('the local cloud has what infra/ says', () => {
  const filesIn = (folder: string) => readdirSync(join(ROOT, 'infra', folder)).map((it) => parse(it).name);

  test('every function of functions.json, with the variables that it needs and none that it does not read', () => {
    expect(Object.keys(laptop.functions).sort()).toEqual(deployables.map(({ name }) => name).sort());
    for (const { name, folder, environment } of deployables) {
      const given = Object.keys(laptop.functions[name] ?? {});
      const known = readVariables(folder);
      const unknown = given.filter((variable) => !known.has(variable) && !(variable in environment));
      expect(unknown, `${name} does not read these`).toEqual([]);
      for (const [variable, { needed, only }] of known) {
        if (needed && (only === undefined || only === name)) expect(given, name).toContain(variable);
      }
    }
  });

  test('a topic with its dead letters for every queue, pushed to its function, and no other', () => {
    const queues = deployables.filter((it) => it.trigger === 'push');
    expect(laptop.topics.toSorted()).toEqual(
      queues.flatMap(({ topic }) => [topic, deadLetterTopic(topic)]).sort(),
    );
    expect(Object.keys(laptop.subscriptions).sort()).toEqual(
      queues.flatMap(({ topic, subscription }) => [subscription, deadLetterHold(topic)]).sort(),
    );
    for (const { name, topic, subscription, ackDeadlineSeconds } of queues) {
      expect(laptop.subscriptions[subscription]).toMatchObject({
        topic,
        ackDeadlineSeconds,
        push: { endpoint: `{${name}}/` },
        deadLetters: { topic: deadLetterTopic(topic) },
      });
    }
  });

  test('every job of functions.json, and no other', () => {
    const jobs = deployables.flatMap((it) =>
      it.trigger === 'http'
        ? it.schedules.map(({ name, cron, timeZone, path }) => [
            name,
            { cron, timeZone, url: `{${it.name}}${path}` },
          ])
        : [],
    );
    expect(Object.keys(laptop.jobs).length).toBe(jobs.length);
    expect(laptop.jobs).toMatchObject(Object.fromEntries(jobs));
  });

  test('every table and every query of the folders, and no other', () => {
    expect(Object.keys(laptop.tables).sort()).toEqual(filesIn('tables').sort());
    expect([...Object.keys(laptop.views), ...Object.keys(laptop.tableFunctions)].sort()).toEqual(
      filesIn('views').sort(),
    );
  });
});

// As in infra.test.ts: without Terraform these tests are not there, and it is said.
if (hasTerraform()) describe('a laptop and a plan of Terraform agree', agree);
else {
  test('TERRAFORM NOT VERIFIED', () => {
    process.stderr.write(`\n!!! ${NOT_VERIFIED} The local cloud was compared with no plan. !!!\n`);
    expect(hasTerraform()).toBe(false);
  });
}

function agree(): void {
  let plan: Plan;
  let planned: Deployment;

  beforeAll(async () => {
    const infra = prepareInfra();
    const provider = await startProvider();
    try {
      const initialised = await runTerraform(infra.folder, ['init', '-no-color', '-backend=false'], provider);
      expect(initialised.errors).toBe('');
      const planning = await planInfra(infra, provider, likeOnLaptop);
      if (planning.kind === 'failed') throw new Error(planning.ran.errors);
      plan = readPlan(planning.json, deployables);
      planned = describePlan(plan);
    } finally {
      provider.close();
      infra.remove();
    }
  });

  test('on the functions, and on every variable of each', () => {
    expect(laptop.functions).toEqual(planned.functions);
  });

  test('on the topics, and on every subscription: deadline, retention, push, backoff and dead letters', () => {
    expect(laptop.topics.toSorted()).toEqual(planned.topics.toSorted());
    expect(laptop.subscriptions).toEqual(planned.subscriptions);
  });

  test('on the jobs: when, whom, as whom, how long and how often again', () => {
    expect(laptop.jobs).toEqual(planned.jobs);
  });

  test('on the tables: columns, partitions, clustering and descriptions', () => {
    expect(laptop.tables).toEqual(planned.tables);
  });

  test('on the views and table functions, to the letter', () => {
    expect(laptop.views).toEqual(planned.views);
    expect(laptop.tableFunctions).toEqual(planned.tableFunctions);
  });

  test('on the buckets, but for those of archives and settings, which a laptop has as folders', () => {
    expect(laptop.buckets).toEqual(planned.buckets);
  });

  test('on functions.json: a plan gives each function the memory, CPU, requests at once and time that stand there', () => {
    const given = plannedFunctions(plan).map(({ target, memory, cpu, concurrency, timeoutSeconds }) => [
      target,
      { memory, cpu, concurrency, timeoutSeconds },
    ]);
    expect(Object.fromEntries(given)).toEqual(
      Object.fromEntries(
        deployables.map(({ name, memory, cpu, concurrency, timeoutSeconds }) => [
          name,
          { memory, cpu, concurrency, timeoutSeconds },
        ]),
      ),
    );
  });

  test('and what is compared is there', () => {
    for (const [what, found] of Object.entries(planned))
      expect(Object.keys(found).length, what).toBeGreaterThan(1);
  });
}
