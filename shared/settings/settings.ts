import { z } from 'zod';
import { defaultTimeWindow, dialects } from '../events/event.ts';

const project = z.strictObject({
  dialects: z
    .array(z.enum(dialects))
    .min(1)
    .optional()
    .describe('The dialects that this project may speak; absent: all'),
});

/** The settings file: what an operator decides per project, changeable while everything runs. */
export const settingsSchema = z
  .strictObject({
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
    timeWindow: z
      .strictObject({
        pastDays: z.number().positive().max(3650),
        futureDays: z.number().positive().max(366),
      })
      .default(defaultTimeWindow)
      .describe('The days around receiving in which occurred_at must lie'),
  })
  .describe('Settings of Tributary');

export type Settings = z.infer<typeof settingsSchema>;

/** Whether events of this project in this dialect are taken. */
export function judgeProject(
  settings: Settings,
  name: string,
  dialect: (typeof dialects)[number],
): 'accepted' | 'unknown_project' | 'dialect_not_allowed' {
  const known = Object.hasOwn(settings.projects, name) ? settings.projects[name] : undefined;
  if (known === undefined) {
    const policy =
      settings.unknownProjects ?? (Object.keys(settings.projects).length === 0 ? 'accept' : 'quarantine');
    return policy === 'accept' ? 'accepted' : 'unknown_project';
  }
  return known.dialects === undefined || known.dialects.includes(dialect)
    ? 'accepted'
    : 'dialect_not_allowed';
}
