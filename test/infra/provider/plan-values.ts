import { isObject, type ObjectValue, UNKNOWN, type Value } from './message-pack.ts';
import type { Block, SchemaType } from './schema.ts';

export const PROJECT_NUMBER = '123456789012';

/**
 * What the provider would plan: the configuration, with what Google decides unknown. The addresses of service accounts
 * are known beforehand, as with Google's provider; ids of topics and secrets are too, which Google's leaves unknown, so
 * that policies see what refers to what.
 */
export function planValues(type: string, block: Block, proposed: Value, project: string): Value {
  if (!isObject(proposed)) return proposed;
  const planned = fillUnknown(block, proposed);
  return isObject(planned) ? { ...planned, ...knownBeforehand(type, proposed, project) } : planned;
}

/** What there would be after an apply: as planned, and what was unknown is made up, by its type. */
export function applyValues(type: string, block: Block, planned: Value): Value {
  if (!isObject(planned)) return planned;
  const applied: ObjectValue = { ...planned };
  for (const [name, attribute] of Object.entries(block.attributes)) {
    if (applied[name] === UNKNOWN) applied[name] = makeUp(attribute.type, `${type}.${name}`);
  }
  for (const [name, nested] of Object.entries(block.blocks)) {
    const inner = applied[name];
    if (Array.isArray(inner)) applied[name] = inner.map((it) => applyValues(type, nested.block, it));
    else if (inner === UNKNOWN) applied[name] = [];
    else if (inner !== undefined) applied[name] = applyValues(type, nested.block, inner);
  }
  return applied;
}

function makeUp(type: SchemaType, name: string): Value {
  if (type === 'string') return name;
  if (type === 'number') return 0;
  if (type === 'bool') return false;
  return type[0] === 'map' || type[0] === 'object' ? {} : [];
}

/** What a data source answers. */
export function readValues(type: string, block: Block, config: Value, project: string): Value {
  if (!isObject(config)) return config;
  const id = typeof config.project_id === 'string' ? config.project_id : project;
  const answers: Record<string, ObjectValue> = {
    google_project: { project_id: id, number: PROJECT_NUMBER, id: `projects/${id}`, name: id },
    google_storage_project_service_account: {
      email_address: `service-${PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com`,
      member: `serviceAccount:service-${PROJECT_NUMBER}@gs-project-accounts.iam.gserviceaccount.com`,
    },
    // One that a function made: in a repository of images that Google makes for functions.
    google_cloud_run_v2_service: {
      template: [{ containers: [{ image: `gcf-artifacts/${String(config.name)}:version_1` }] }],
    },
    google_bigquery_default_service_account: {
      email: `bq-${PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com`,
      member: `serviceAccount:bq-${PROJECT_NUMBER}@bigquery-encryption.iam.gserviceaccount.com`,
    },
  };
  const answer = Object.entries(answers[type] ?? {}).map(([name, value]) => {
    const attribute = block.attributes[name];
    return [name, attribute === undefined ? value : complete(attribute.type, value)] as const;
  });
  return { ...config, ...Object.fromEntries(answer) };
}

/** A value of the type: what an object lacks is null. */
function complete(type: SchemaType, value: Value = null): Value {
  const [kind, of] = typeof type === 'string' ? [type] : type;
  if (Array.isArray(value) && of !== undefined && (typeof of === 'string' || Array.isArray(of)))
    return value.map((it) => complete(of, it));
  if (kind !== 'object' || !isObject(value) || typeof of !== 'object' || Array.isArray(of)) return value;
  return Object.fromEntries(Object.entries(of).map(([name, inner]) => [name, complete(inner, value[name])]));
}

function knownBeforehand(type: string, proposed: ObjectValue, project: string): ObjectValue {
  const owner = typeof proposed.project === 'string' ? proposed.project : project;
  if (type === 'google_service_account' && typeof proposed.account_id === 'string') {
    const email = `${proposed.account_id}@${owner}.iam.gserviceaccount.com`;
    const name = `projects/${owner}/serviceAccounts/${email}`;
    return { email, member: `serviceAccount:${email}`, name, id: name };
  }
  if (type === 'google_pubsub_topic' && typeof proposed.name === 'string') {
    return { id: `projects/${owner}/topics/${proposed.name}` };
  }
  if (type === 'google_secret_manager_secret' && typeof proposed.secret_id === 'string') {
    return { id: `projects/${owner}/secrets/${proposed.secret_id}` };
  }
  return {};
}

function fillUnknown(block: Block, value: Value): Value {
  if (!isObject(value)) return value;
  const filled: ObjectValue = { ...value };
  for (const [name, { computed }] of Object.entries(block.attributes)) {
    if (computed && (filled[name] ?? null) === null) filled[name] = UNKNOWN;
  }
  for (const [name, nested] of Object.entries(block.blocks)) {
    const inner = filled[name];
    if (Array.isArray(inner)) filled[name] = inner.map((it) => fillUnknown(nested.block, it));
    else if (inner !== undefined) filled[name] = fillUnknown(nested.block, inner);
  }
  return filled;
}

/** Where a value is none of those that the documentation names, with what it says. */
export function* findForbiddenValues(
  block: Block,
  value: Value,
  path: readonly (string | number)[] = [],
): Generator<{ path: readonly (string | number)[]; message: string }> {
  if (!isObject(value)) return;
  for (const [name, { possibleValues }] of Object.entries(block.attributes)) {
    const given = value[name];
    if (possibleValues === undefined || typeof given !== 'string' || given === '') continue;
    if (!possibleValues.includes(given)) {
      yield {
        path: [...path, name],
        message: `expected ${name} to be one of ${possibleValues.join(', ')}, got ${given}`,
      };
    }
  }
  for (const [name, nested] of Object.entries(block.blocks)) {
    const inner = value[name];
    if (nested.nesting === 'list' && Array.isArray(inner)) {
      for (const [index, it] of inner.entries()) {
        yield* findForbiddenValues(nested.block, it, [...path, name, index]);
      }
    }
  }
}
