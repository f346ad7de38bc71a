import { z } from 'zod';
import type { ServiceModule } from '../services/service.ts';

/** A name in keys of the warehouse and of the configuration: short, and never in need of quotes. */
export const keyShape = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?$/, 'must be lower-case letters, digits, dots, - and _');

const pollShape = z
  .strictObject({
    lookbackDays: z.int().min(1).max(60).default(8).meta({
      description:
        'How many days back a poll looks for days that were never pulled; older ones are for backfill.',
    }),
    repullDays: z
      .array(z.int().min(1).max(365))
      .max(12)
      .default([1, 2, 3, 7, 28])
      .refine((days) => days.every((day, index) => index === 0 || day > days[index - 1]!), 'must ascend')
      .meta({
        description: 'How many days after its own end a day is pulled again, to catch what has changed.',
      }),
  })
  .meta({ description: 'When days are looked at.' });

const groupShape = z.strictObject({
  key: keyShape,
  members: z.array(keyShape).min(1).meta({ description: 'Keys of sites and channels.' }),
});

/** What every report says, of whatever service. */
const reportBase = {
  key: keyShape.meta({ description: 'The name of the table; the rows of a report carry it.' }),
  on: z
    .array(z.union([z.literal('*'), keyShape]))
    .min(1)
    .default(['*'])
    .meta({ description: 'Keys of sites, channels or groups; * for all of this source.' }),
  grain: z.enum(['day', 'week', 'month']).default('day').meta({
    description: 'What a row covers. Weeks are ISO weeks. Users of a week are asked for, never summed.',
  }),
};

export type Group = z.output<typeof groupShape>;
export type PollSettings = z.output<typeof pollShape>;

/** A report as configured; the fields of its service are read by that service. */
export interface ConfiguredReport {
  readonly key: string;
  readonly source: string;
  readonly on: readonly string[];
  readonly grain: 'day' | 'week' | 'month';
  readonly [field: string]: unknown;
}

/** The configuration file, checked. What belongs to one service (`sites`) stands beside what all share. */
export interface ReportsConfiguration {
  readonly poll: PollSettings;
  readonly groups: readonly Group[];
  readonly reports: readonly ConfiguredReport[];
  readonly [field: string]: unknown;
}

/** The schema of the configuration file, with what each service brings. */
export function createConfigurationShape(modules: readonly ServiceModule[]) {
  const [first, ...rest] = modules.map(({ source, reportFields }) =>
    z.strictObject({ ...reportBase, source: z.literal(source), ...reportFields }),
  );
  if (first === undefined) throw new Error('No service is registered.');
  const own: z.ZodRawShape = {};
  for (const { configurationFields } of modules) Object.assign(own, configurationFields);
  return z
    .strictObject({
      $schema: z.string().optional(),
      poll: pollShape.prefault({}),
      groups: z.array(groupShape).default([]),
      ...own,
      defaultReports: z
        .union([z.boolean(), z.array(keyShape)])
        .default(true)
        .meta({
          description:
            'Which of the shipped reports are pulled beside those named here: all, none, or these. A report here with the key of a shipped one stands in its place.',
        }),
      reports: z.array(z.discriminatedUnion('source', [first, ...rest])).default([]),
    })
    .describe('What is pulled from Google Analytics and YouTube, and when');
}
