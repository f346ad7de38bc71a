import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const PROTOS = fileURLToPath(import.meta.resolve('@google-cloud/cloudbuild/build/protos/protos.json'));

/** The message that a configuration is: https://cloud.google.com/build/docs/build-config-file-schema */
export function readBuildType(): protobuf.Type {
  return protobuf.Root.fromJSON(JSON.parse(readFileSync(PROTOS, 'utf8'))).lookupType(
    'google.devtools.cloudbuild.v1.Build',
  );
}

/** Where a value is not what JSON of that message may be, each with its path and what it should be. */
export function* findMismatches(type: protobuf.Type, value: unknown, path = ''): Generator<string> {
  if (!isObject(value)) return yield `${path || 'the file'} is no ${type.name}`;
  for (const [name, given] of Object.entries(value)) {
    const at = path === '' ? name : `${path}.${name}`;
    const field = type.fields[name];
    if (field === undefined) {
      yield `${at}: a ${type.name} has no ${name}`;
      continue;
    }
    field.resolve();
    if (field.getOption('(google.api.field_behavior)') === 'OUTPUT_ONLY') yield `${at} is only ever answered`;
    if (field.map) {
      if (!isObject(given)) yield `${at} is no map`;
      else for (const [key, it] of Object.entries(given)) yield* findWrong(field, it, `${at}.${key}`);
    } else if (field.repeated) {
      if (!Array.isArray(given)) yield `${at} is no list`;
      else for (const [index, it] of given.entries()) yield* findWrong(field, it, `${at}[${index}]`);
    } else yield* findWrong(field, given, at);
  }
}

function* findWrong(field: protobuf.Field, given: unknown, at: string): Generator<string> {
  const type = field.resolvedType;
  if (field.type === 'google.protobuf.Duration') {
    if (typeof given !== 'string' || !/^\d+(\.\d{1,9})?s$/.test(given))
      yield `${at} is ${JSON.stringify(given)}, and no duration such as 600s`;
  } else if (type instanceof protobuf.Enum) {
    if (typeof given !== 'string' || !(given in type.values))
      yield `${at} is ${JSON.stringify(given)}, and none of ${Object.keys(type.values).join(', ')}`;
  } else if (type instanceof protobuf.Type) yield* findMismatches(type, given, at);
  else if (!isScalar(field.type, given)) yield `${at} is ${JSON.stringify(given)}, and no ${field.type}`;
}

function isScalar(type: string, given: unknown): boolean {
  if (type === 'bool') return typeof given === 'boolean';
  if (type === 'string' || type === 'bytes') return typeof given === 'string';
  return Number.isInteger(given) || (typeof given === 'string' && /^-?\d+$/.test(given));
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
