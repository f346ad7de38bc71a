import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { z } from 'zod';
import { decodeValue, encodeValue, isObject, type Value } from './message-pack.ts';
import { applyValues, findForbiddenValues, planValues, readValues } from './plan-values.ts';
import type { Block, ProviderSchema } from './schema.ts';

export interface StubProvider {
  /** The variables of a process of Terraform that makes it use this provider. */
  environment: Readonly<Record<string, string>>;
  close(): void;
}

export const readSchema = (): ProviderSchema =>
  JSON.parse(readFileSync(new URL('generated/google-schema.json', import.meta.url), 'utf8'));

/**
 * Serves the schema of the Google provider over Terraform's plugin protocol: Terraform talks to a provider that runs
 * already where TF_REATTACH_PROVIDERS names it, without a download, a lock file or TLS. It plans, and
 * where it applies, all is as planned: nothing is made anywhere, and what Google would decide is made up.
 */
export async function startProvider(schema: ProviderSchema = readSchema()): Promise<StubProvider> {
  const server = new grpc.Server({
    'grpc.max_receive_message_length': -1,
    'grpc.max_send_message_length': -1,
  });
  const definition = loadSync(fileURLToPath(new URL('plugin.proto', import.meta.url)), { keepCase: true });
  const service = definition['tfplugin5.Provider'];
  if (service === undefined || !isService(service)) throw new Error('plugin.proto has no service Provider.');
  server.addService(service, implement(schema));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const reattach = {
    [schema.provider]: {
      Protocol: 'grpc',
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: { Network: 'tcp', String: `127.0.0.1:${port}` },
    },
  };
  return {
    environment: { TF_REATTACH_PROVIDERS: JSON.stringify(reattach) },
    close: () => server.forceShutdown(),
  };
}

const isService = (it: object): it is grpc.ServiceDefinition => !('format' in it);

const dynamicValue = z
  .object({ msgpack: z.instanceof(Uint8Array) })
  .transform((it) => decodeValue(it.msgpack));
const typedConfig = z.object({ type_name: z.string(), config: dynamicValue });
const planRequest = z.object({
  type_name: z.string(),
  prior_state: dynamicValue,
  proposed_new_state: dynamicValue,
});
const readRequest = z.object({ current_state: dynamicValue });
const applyRequest = z.object({ type_name: z.string(), planned_state: dynamicValue });
const upgradeRequest = z.object({ raw_state: z.object({ json: z.instanceof(Uint8Array) }) });
const providerConfig = z.object({ config: dynamicValue });

function implement(schema: ProviderSchema): grpc.UntypedServiceImplementation {
  let project = 'unconfigured';
  const blockOf = (blocks: Record<string, Block>, type: string): Block => {
    const block = blocks[type];
    if (block === undefined) throw new Error(`google-schema.json has no ${type}.`);
    return block;
  };
  const validate = (blocks: Record<string, Block>) =>
    answering(typedConfig, ({ type_name, config }) => ({
      diagnostics: [...findForbiddenValues(blockOf(blocks, type_name), config)].map(({ path, message }) => ({
        severity: 'ERROR',
        summary: message,
        attribute: { steps: path.map(toStep) },
      })),
    }));
  return {
    GetSchema: answering(z.unknown(), () => ({
      provider: describe(schema.configuration),
      resource_schemas: mapValues(schema.resources, describe),
      data_source_schemas: mapValues(schema.dataSources, describe),
    })),
    PrepareProviderConfig: answering(providerConfig, ({ config }) => {
      if (isObject(config) && typeof config.project === 'string') project = config.project;
      return { prepared_config: pack(config) };
    }),
    ValidateResourceTypeConfig: validate(schema.resources),
    ValidateDataSourceConfig: validate(schema.dataSources),
    Configure: answering(z.unknown(), () => ({})),
    PlanResourceChange: answering(planRequest, ({ type_name, prior_state, proposed_new_state }) => ({
      planned_state: pack(
        planValues(type_name, blockOf(schema.resources, type_name), proposed_new_state, project),
      ),
      requires_replace: isRenamed(prior_state, proposed_new_state)
        ? [{ steps: [{ attribute_name: 'name' }] }]
        : [],
      // As the SDK that Google's provider is made with.
      legacy_type_system: true,
    })),
    // The state is of this schema, and what is there is what the state says.
    UpgradeResourceState: answering(upgradeRequest, ({ raw_state }) => ({
      upgraded_state: pack(JSON.parse(Buffer.from(raw_state.json).toString())),
    })),
    ReadResource: answering(readRequest, ({ current_state }) => ({ new_state: pack(current_state) })),
    ApplyResourceChange: answering(applyRequest, ({ type_name, planned_state }) => ({
      new_state: pack(applyValues(type_name, blockOf(schema.resources, type_name), planned_state)),
      legacy_type_system: true,
    })),
    ReadDataSource: answering(typedConfig, ({ type_name, config }) => ({
      state: pack(readValues(type_name, blockOf(schema.dataSources, type_name), config, project)),
    })),
    Stop: answering(z.unknown(), () => ({})),
  };
}

/** What has another name is another thing, with Google as here. */
const isRenamed = (prior: Value, proposed: Value): boolean =>
  isObject(prior) &&
  isObject(proposed) &&
  typeof prior.name === 'string' &&
  typeof proposed.name === 'string' &&
  prior.name !== proposed.name;

const pack = (value: Value) => ({ msgpack: encodeValue(value) });

const toStep = (step: string | number) =>
  typeof step === 'string' ? { attribute_name: step } : { element_key_int: step };

/** Makes a call of a function; what it throws becomes the error of the call. */
function answering<T>(
  request: z.ZodType<T>,
  answer: (request: T) => object,
): grpc.handleUnaryCall<unknown, object> {
  return (call, callback) => {
    try {
      callback(null, answer(request.parse(call.request)));
    } catch (error) {
      callback({
        code: grpc.status.INTERNAL,
        details: error instanceof Error ? error.message : String(error),
      });
    }
  };
}

function mapValues<T, U>(values: Record<string, T>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, change(value)]));
}

const describe = (block: Block): object => ({ version: 0, block: describeBlock(block) });

function describeBlock(block: Block): object {
  return {
    attributes: Object.entries(block.attributes).map(([name, { type, required, optional, computed }]) => ({
      name,
      type: Buffer.from(JSON.stringify(type)),
      required,
      optional,
      computed,
    })),
    block_types: Object.entries(block.blocks).map(
      ([name, { nesting, minItems, maxItems, block: inner }]) => ({
        type_name: name,
        nesting: nesting.toUpperCase(),
        min_items: minItems ?? 0,
        max_items: maxItems ?? 0,
        block: describeBlock(inner),
      }),
    ),
  };
}
