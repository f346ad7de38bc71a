import { describe, expect, test } from 'vitest';
import { readText } from '../../repository-files.ts';
import { checkBuild } from './check-build.ts';
import { BUILDS } from './read-build.ts';

test.each(BUILDS)("%s is what Cloud Build's own proto and its rules allow", (path) => {
  expect(checkBuild(readText(path))).toEqual([]);
});

/** A mistake in cloudbuild.yaml, and what must be said of it. */
const faults: readonly (readonly [string, string, string, string])[] = [
  [
    'a misspelt field',
    'entrypoint: npm\n    args: [ci]',
    'entryPoint: npm\n    args: [ci]',
    'a BuildStep has no entryPoint',
  ],
  [
    'a field of another message',
    'timeout: 1800s',
    'machineType: E2_HIGHCPU_8\ntimeout: 1800s',
    'a Build has no machineType',
  ],
  [
    'a field that is only answered',
    'timeout: 1800s',
    'timeout: 1800s\nstatus: QUEUED',
    'status is only ever answered',
  ],
  ['a text for a list', 'args: [ci]', 'args: ci', 'args is no list'],
  ['a number for a text', '_TERRAFORM: 1.11.4', '_TERRAFORM: 1.11', 'is 1.11, and no string'],
  ['a text for a boolean', 'dynamicSubstitutions: true', "dynamicSubstitutions: 'true'", 'and no bool'],
  [
    'a machine that is none',
    'E2_HIGHCPU_8',
    'E2_HIGHCPU_4',
    'options.machineType is "E2_HIGHCPU_4", and none of',
  ],
  [
    'a logging that is none',
    'CLOUD_LOGGING_ONLY',
    'CLOUD_LOGGING',
    'options.logging is "CLOUD_LOGGING", and none of',
  ],
  ['a duration in minutes', 'timeout: 1800s', 'timeout: 30m', 'timeout is "30m", and no duration'],
  ['a duration without its unit', 'timeout: 1800s', 'timeout: 1800', 'timeout is 1800, and no duration'],
  ['waiting for no step', 'waitFor: [test]', 'waitFor: [tests]', 'step build waits for tests'],
  [
    'waiting for a later step',
    'waitFor: [terraform, install]',
    'waitFor: [plan]',
    'step test waits for plan',
  ],
  ['two steps of one id', 'id: build', 'id: test', 'there are two of that id'],
  [
    'a substitution that is not declared',
    'gs://$_PLANS_BUCKET',
    'gs://$_PLAN_BUCKET',
    '$_PLAN_BUCKET is no substitution',
  ],
  [
    'a substitution that is not used',
    'substitutions:',
    'substitutions:\n  _REGION: europe-west1',
    '_REGION is used nowhere',
  ],
  [
    'a substitution in lower case',
    '  _TERRAFORM:',
    '  terraform:',
    'substitutions.terraform must begin with _',
  ],
  [
    'a variable of the shell with one dollar',
    'args: [run, build]',
    'args: [run, build, $HOME]',
    '$HOME is no substitution',
  ],
  [
    'a substitution in a script',
    '"$COMMIT_SHA.tar.gz" infra',
    '"$_TERRAFORM.tar.gz" infra',
    'its script reads _TERRAFORM',
  ],
  [
    'a variable of a script that nothing sets',
    'env: [STATE_BUCKET=$_STATE_BUCKET]',
    'env: [BUCKET=$_STATE_BUCKET]',
    'its script reads STATE_BUCKET',
  ],
  [
    'a secret that is not declared',
    'env: [CI=true]',
    'secretEnv: [TOKEN]',
    'TOKEN is not among availableSecrets',
  ],
  ['an account without logging', '  logging: CLOUD_LOGGING_ONLY\n', '', 'logging must be CLOUD_LOGGING_ONLY'],
  [
    'the default account',
    /serviceAccount: .*\n/.exec(readText('cloudbuild.yaml'))?.[0] ?? '',
    '',
    'there is no serviceAccount',
  ],
  [
    'an image without a tag',
    'name: node:24\n    entrypoint: npm\n    args: [ci]',
    'name: node\n    entrypoint: npm\n    args: [ci]',
    'node has no tag',
  ],
  ['a script with args', 'env: [CI=true]', 'env: [CI=true]\n    args: [test]', 'has a script, and args'],
  ['a folder that is not there', 'dir: infra', 'dir: terraform', 'there is no terraform'],
  [
    'a volume of one step',
    '    volumes: [{ name: tools, path: /tools }]\n    script',
    '    script',
    'is used by one step',
  ],
  [
    'a volume in the workspace',
    '{ name: tools, path: /tools }',
    '{ name: tools, path: /workspace/tools }',
    'is at a path that',
  ],
  [
    'substitutions that refer to others as text',
    '  dynamicSubstitutions: true\n',
    '',
    'without dynamicSubstitutions',
  ],
];

describe('the check says what is wrong:', () => {
  test.each(faults)('%s', (_name, find, replace, said) => {
    const text = readText('cloudbuild.yaml');
    expect(text).toContain(find);
    expect(checkBuild(text.replaceAll(find, () => replace)).join('\n')).toContain(said);
  });
});
