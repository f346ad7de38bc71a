import { z } from 'zod';
import { type Dialect, defaultTimeWindow, dialects } from '../events/event.ts';

/** An object that names its fields where it is given another one. */
const strict = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `Unrecognized key: ${issue.keys.map((key) => JSON.stringify(key)).join(', ')}. There are: ${Object.keys(shape).join(', ')}`
        : undefined,
  });

const identity = strict({
  policy: z
    .enum(['one_to_one', 'devices_to_one_user'])
    .optional()
    .describe(
      'one_to_one: a device is of one user and a user has one device, first come first bound; devices_to_one_user: a device is of its first user, who may have many; absent: one_to_one where the project has aliases of Analysys, else devices_to_one_user',
    ),
  order: z
    .enum(['occurred_at', 'received_at'])
    .default('occurred_at')
    .describe(
      'Which alias comes first: by when it happened, so that one that arrives late can win, or by when it was received',
    ),
  voided: z
    .array(
      z.string().regex(/^[0-9a-f]{32}$/, {
        error: 'expected the event_id of an alias: 32 digits of 0 to 9 and a to f',
      }),
    )
    .default([])
    .describe(
      "Aliases that count no more, by event_id, as if they had never been sent: whoever comes next is bound. identity_bindings names the alias of each binding, identity_conflicts those that lost, state_log all (kind = 'alias')",
    ),
}).describe('Whose an anonymous event is');

const rateLimit = strict({
  eventsPerSecond: z
    .number()
    .positive()
    .max(1_000_000)
    .describe('How many events an instance of ingest takes of the project, on average'),
  burst: z
    .number()
    .min(1)
    .max(100_000_000)
    .optional()
    .describe('How many it takes at once after a pause; absent: ten seconds of them'),
}).describe(
  'Per instance of ingest; absent: no limit. A request is taken or not as a whole. One that is not is answered 429 where the SDKs of its dialect send it again, and else goes to quarantine as rate_limited',
);

const project = strict({
  dialects: z
    .array(z.enum(dialects))
    .min(1)
    .optional()
    .describe('The dialects that this project may speak; absent: all'),
  debug: z
    .literal([0, 1, 2])
    .optional()
    .describe(
      'In place of what the sender says: 0 counted, 1 shown but not counted, 2 shown and counted; absent: as sent',
    ),
  identity: identity.optional(),
  dedup: z
    .enum(['on', 'off'])
    .default('on')
    .describe(
      'off: an event that its sender sends again counts again; what is delivered twice within Tributary never does',
    ),
  eventTime: z
    .enum(['sender', 'ignore'])
    .default('sender')
    .describe(
      'GrowingIO only. ignore: an event whose sender gave event_time occurred when it was received, as with the switch of that name',
    ),
  rateLimit: rateLimit.optional(),
});

/** The settings file: what an operator decides per project, changeable while everything runs. */
export const settingsSchema = strict({
  $schema: z.string().optional(),
  projects: z
    .record(z.string().min(1).max(255), project)
    .default({})
    .describe('The projects that may send, by Analysys appid, GrowingIO project or Segment write key'),
  unknownProjects: z
    .enum(['accept', 'quarantine'])
    .optional()
    .describe(
      'What becomes of events of other projects; absent: accept while no project is named, else quarantine',
    ),
  unknownProjectsPerDay: z
    .int()
    .min(0)
    .default(1000)
    .describe('How many requests and events of unknown projects an instance keeps in quarantine a day'),
  timeWindow: strict({
    pastDays: z.number().positive().max(3650),
    futureDays: z.number().positive().max(366),
  })
    .default(defaultTimeWindow)
    .describe('The days around receiving in which occurred_at must lie'),
}).describe('Settings of Tributary');

export type Settings = z.infer<typeof settingsSchema>;
export type ProjectSettings = z.infer<typeof project>;
export type RateLimit = z.infer<typeof rateLimit>;

const withoutSettings: ProjectSettings = project.parse({});

/** What is decided for a project; the defaults where it is not named. */
export const settingsOf = (settings: Settings, name: string): ProjectSettings =>
  (Object.hasOwn(settings.projects, name) ? settings.projects[name] : undefined) ?? withoutSettings;

/** Whether events of this project in this dialect are taken. */
export function judgeProject(
  settings: Settings,
  name: string,
  dialect: Dialect,
): 'accepted' | 'unknown_project' | 'dialect_not_allowed' {
  const known = settingsOf(settings, name);
  if (known === withoutSettings) {
    const policy =
      settings.unknownProjects ?? (Object.keys(settings.projects).length === 0 ? 'accept' : 'quarantine');
    return policy === 'accept' ? 'accepted' : 'unknown_project';
  }
  return known.dialects === undefined || known.dialects.includes(dialect)
    ? 'accepted'
    : 'dialect_not_allowed';
}
