import { z } from 'zod';
import { keyShape, type ReportsConfiguration } from '../../configuration/configuration.ts';
import { expandKeys } from '../../configuration/expand-keys.ts';
import { digestOf } from '../digest.ts';
import type { ConfigurationProblem, Entity, Report } from '../service.ts';
import { gateOf, kindOf } from './metrics.ts';

export const source = 'youtube';
/** Days of YouTube's reports are Pacific, wherever a channel is. */
export const timeZone = 'America/Los_Angeles';

const ownerShape = z.strictObject({
  key: keyShape,
  id: z
    .string()
    .regex(/^[a-zA-Z0-9_+-]+$/, 'must be the id of a content owner')
    .optional()
    .meta({
      description: "The content owner's id; absent for the owner of channels without a content owner.",
    }),
  credential: z.string().min(1).meta({
    description:
      'Where the credential is: the name of an environment variable, or the path of a file (a mounted secret). `npm run reports -- authorize` makes it.',
  }),
});

const channelShape = z.strictObject({
  key: keyShape,
  name: z.string().optional(),
  ids: z
    .array(z.string().regex(/^UC[\w-]{10,30}$/, 'must be a channel id, as in UC_x5XG1OV2P6uZZ5FSM9Ttw'))
    .min(1),
  owner: keyShape.meta({ description: 'A key of contentOwners.' }),
  waitForData: z.boolean().default(true),
});

const settingsShape = z
  .strictObject({
    minLagHours: z
      .number()
      .min(0)
      .max(168)
      .default(12)
      .meta({ description: 'No day is probed sooner after its end.' }),
    deadlineHours: z
      .number()
      .min(1)
      .max(720)
      .default(120)
      .meta({ description: 'From then on a day is pulled whatever is missing, and flagged forced.' }),
    zeroHours: z.number().min(0).max(720).default(72).meta({
      description: 'From then on a day without a row, of a channel that has rows otherwise, is a zero.',
    }),
    unitsPerDay: z
      .int()
      .min(1)
      .default(8_000)
      .meta({ description: 'Units of the Data API that a day may take.' }),
    rowsPerRequest: z.int().min(1).max(200).default(200),
    timeoutSeconds: z.int().min(1).max(300).default(60),
  })
  .meta({ description: 'How YouTube is asked.' });

export const configurationFields = {
  contentOwners: z
    .array(ownerShape)
    .default([])
    .meta({ description: 'Who authorizes: content owners or accounts.' }),
  channels: z.array(channelShape).default([]).meta({ description: 'Channels, each of one or more ids.' }),
  youtube: settingsShape.prefault({}),
};

const ratioShape = z.strictObject({
  name: keyShape,
  numerator: z.string(),
  denominator: z.array(z.string()).min(1),
  factor: z.number().default(1),
});

export const reportFields = {
  dimensions: z.array(z.string()).max(4).default([]),
  metrics: z.array(z.string()).min(1),
  filters: z
    .string()
    .optional()
    .meta({ description: 'As the API writes them, beside the channel: country==GB.' }),
  sort: z.array(z.string()).default([]).meta({ description: 'With top: metrics, those with - descending.' }),
  top: z.int().min(1).max(180).optional().meta({ description: 'Only so many rows of each channel.' }),
  ratios: z.array(ratioShape).default([]),
};

const ownShape = z.object(configurationFields);
const reportShape = z.object(reportFields);

export type Settings = z.output<typeof settingsShape>;
export type Owner = z.output<typeof ownerShape>;

/** A report and what it asks for. */
export interface YouTubeReport extends Report {
  readonly filters: string | null;
  readonly sort: readonly string[];
  readonly top: number | null;
}

export interface YouTubeConfiguration {
  readonly entities: readonly Entity[];
  readonly reports: readonly YouTubeReport[];
  readonly owners: readonly Owner[];
  readonly settings: Settings;
  /** The owner of a probe group. */
  ownerOf(probeGroup: string): Owner;
}

/** What of the configuration is YouTube's. */
export function readOwn(configuration: ReportsConfiguration): YouTubeConfiguration {
  const { contentOwners: owners, channels, youtube: settings } = ownShape.parse(configuration);
  const ofGroup = new Map<string, Owner>();
  const entities = channels.flatMap(({ key, ids, owner: ownerKey, waitForData }) =>
    ids.map((entityId): Entity => {
      const owner = owners.find((it) => it.key === ownerKey);
      if (owner === undefined) throw new Error(`${ownerKey} is no content owner.`);
      // A channel without a content owner is asked for by itself.
      const probeGroup = owner.id === undefined ? `${owner.key}/${entityId}` : owner.key;
      ofGroup.set(probeGroup, owner);
      return { source, entityId, key, role: 'channel', probeGroup, timeZone, waitForData };
    }),
  );
  const keys = channels.map(({ key }) => key);
  const reports = configuration.reports
    .filter((report) => report.source === source)
    .map((report): YouTubeReport => {
      const { dimensions, metrics, filters = null, sort, top = null, ratios } = reportShape.parse(report);
      const on = new Set(expandKeys(configuration, report.on, keys));
      const asked = {
        grain: report.grain,
        dimensions,
        metrics: metrics.map((name) => ({ name, kind: kindOf(name) })),
        filters,
        sort,
        top,
      };
      return {
        ...asked,
        source,
        key: report.key,
        entityIds: entities.filter(({ key }) => on.has(key)).map(({ entityId }) => entityId),
        gate: gateOf(metrics),
        ratios,
        describes: dimensions.includes('video') ? 'video' : null,
        hash: digestOf(asked),
      };
    });
  return {
    entities,
    reports,
    owners,
    settings,
    ownerOf(probeGroup) {
      const owner = ofGroup.get(probeGroup);
      if (owner === undefined) throw new Error(`${probeGroup} is no probe group of YouTube.`);
      return owner;
    },
  };
}

export function listKeys(configuration: ReportsConfiguration): string[] {
  return ownShape.parse(configuration).channels.map(({ key }) => key);
}

/** What shapes cannot tell: names that must exist elsewhere in the file. */
export function checkConfiguration(configuration: ReportsConfiguration): ConfigurationProblem[] {
  const { channels, contentOwners } = ownShape.parse(configuration);
  const problems: ConfigurationProblem[] = [];
  const owners = contentOwners.map(({ key }) => key);
  const seen = new Map<string, string>();
  for (const [place, { key, ids, owner }] of channels.entries()) {
    if (!owners.includes(owner)) {
      const message = `${owner} is no key of contentOwners: ${owners.join(', ') || 'there are none; add one'}`;
      problems.push({ path: ['channels', place, 'owner'], message });
    }
    for (const [index, id] of ids.entries()) {
      const first = seen.get(id);
      if (first !== undefined) {
        problems.push({ path: ['channels', place, 'ids', index], message: `${id} is also one of ${first}` });
      }
      seen.set(id, key);
    }
  }
  for (const [place, report] of configuration.reports.entries()) {
    if (report.source !== source) continue;
    const { dimensions, metrics, top, sort, ratios } = reportShape.parse(report);
    const at = (field: string) => ['reports', place, field];
    if (report.grain === 'week') {
      problems.push({ path: at('grain'), message: 'must be day or month: YouTube gives no weeks' });
    }
    if (dimensions.includes('video') && (top === undefined || !sort[0]?.startsWith('-'))) {
      const message =
        'reports by video are lists of the top ones: give top and a sort as -estimatedMinutesWatched';
      problems.push({ path: at('top'), message });
    }
    for (const name of sort.map((it) => it.replace(/^-/, ''))) {
      if (!metrics.includes(name))
        problems.push({ path: at('sort'), message: `${name} must be among metrics` });
    }
    for (const { numerator, denominator } of ratios) {
      for (const name of [numerator, ...denominator]) {
        if (metrics.includes(name) && kindOf(name) === 'additive') continue;
        problems.push({ path: at('ratios'), message: `${name} must be among metrics and one that adds up` });
      }
    }
  }
  return problems;
}
