import { parse } from 'yaml';
import { z } from 'zod';
import { readText } from '../../repository-files.ts';

const volume = z.looseObject({ name: z.string(), path: z.string() });
const step = z.looseObject({
  id: z.string().optional(),
  name: z.string(),
  entrypoint: z.string().optional(),
  args: z.array(z.string()).optional(),
  script: z.string().optional(),
  dir: z.string().optional(),
  env: z.array(z.string()).default([]),
  secretEnv: z.array(z.string()).default([]),
  volumes: z.array(volume).default([]),
  waitFor: z.array(z.string()).optional(),
});
const build = z.looseObject({
  steps: z.array(step).min(1),
  substitutions: z.record(z.string(), z.string()).optional(),
  serviceAccount: z.string().optional(),
  logsBucket: z.string().optional(),
  artifacts: z
    .looseObject({ objects: z.looseObject({ location: z.string(), paths: z.array(z.string()) }).optional() })
    .optional(),
  availableSecrets: z
    .looseObject({ secretManager: z.array(z.looseObject({ env: z.string() })).optional() })
    .optional(),
  options: z
    .looseObject({
      logging: z.string().optional(),
      substitutionOption: z.string().optional(),
      env: z.array(z.string()).default([]),
      automapSubstitutions: z.boolean().optional(),
      dynamicSubstitutions: z.boolean().optional(),
    })
    .optional(),
});

/** A configuration of Cloud Build, as far as the tests look into it. */
export type Build = z.infer<typeof build>;
export type Step = z.infer<typeof step>;

/** The configurations of the repository, by what they are for. */
export const BUILDS = ['cloudbuild.pull-request.yaml', 'cloudbuild.yaml', 'cloudbuild.apply.yaml'] as const;

/** Reads a configuration of the repository; throws where it has not even the shape that is looked into. */
export const readBuild = (path: string): Build => parseBuild(parse(readText(path)));

/** The same of what YAML gave. */
export const parseBuild = (value: unknown): Build => build.parse(value);
