import { demandLive, mayEdit, mayRead } from './access.ts';
import { type Context, type Method, method, parentOfName, timestamp } from './method.ts';
import { type PageRequest, readPage } from './page.ts';
import { findProperty } from './properties.ts';
import { invalidArgument, notFound } from './refuse.ts';
import { type FieldMask, readMask } from './update-mask.ts';
import type { DataStream } from './world.ts';

interface StreamMessage {
  readonly name?: string;
  readonly type?: string;
  readonly displayName?: string;
  readonly webStreamData?: { readonly defaultUri?: string };
  readonly androidAppStreamData?: { readonly packageName?: string };
  readonly iosAppStreamData?: { readonly bundleId?: string };
}

type Named = { readonly name?: string };

const pageSizes = { standard: 50, largest: 200 };

export const dataStreamMethods: Readonly<Record<string, Method>> = {
  GetDataStream: method<Named>({
    kind: 'read',
    parentOf: ({ name }) => parentOfName(name),
    run: (context, { name }) => asMessage(find(context, name, mayRead)),
  }),

  ListDataStreams: method<PageRequest & { parent?: string }>({
    kind: 'read',
    parentOf: ({ parent }) => parent,
    run(context, request) {
      const { world, rules } = context;
      const { name: parent } = findProperty(context, request.parent, mayRead);
      const streams = [...world.dataStreams.values()].filter(({ name }) => parentOfName(name) === parent);
      const { page, nextPageToken } = readPage(`streams of ${parent}`, streams, request, pageSizes, rules);
      return { dataStreams: page.map(asMessage), nextPageToken };
    },
  }),

  CreateDataStream: method<{ parent?: string; dataStream?: StreamMessage }>({
    kind: 'write',
    parentOf: ({ parent }) => parent,
    run(context, { parent, dataStream: given = {} }) {
      const { world, nowMs } = context;
      const property = findProperty(context, parent, mayEdit);
      demandLive(world, property.name);
      const { type = 'DATA_STREAM_TYPE_UNSPECIFIED', displayName = '' } = given;
      const packageName = given.androidAppStreamData?.packageName ?? '';
      const bundleId = given.iosAppStreamData?.bundleId ?? '';
      check(type, displayName, given);
      const id = world.newId();
      const stream: DataStream = {
        name: `${property.name}/dataStreams/${id}`,
        type,
        displayName,
        measurementId: type === 'WEB_DATA_STREAM' ? `G-${id}` : '',
        defaultUri: given.webStreamData?.defaultUri ?? '',
        packageName,
        bundleId,
        createdMs: nowMs,
        updatedMs: nowMs,
      };
      world.dataStreams.set(stream.name, stream);
      return asMessage(stream);
    },
  }),

  UpdateDataStream: method<{ dataStream?: StreamMessage; updateMask?: FieldMask }>({
    kind: 'write',
    parentOf: ({ dataStream }) => parentOfName(dataStream?.name),
    run(context, { dataStream: given = {}, updateMask }) {
      const stream = find(context, given.name, mayEdit);
      const known = ['display_name', 'web_stream_data', 'web_stream_data.default_uri'] as const;
      const paths = readMask(updateMask, stream.type === 'WEB_DATA_STREAM' ? known : ['display_name']);
      demandLive(context.world, parentOfName(stream.name));
      if (paths.has('display_name')) {
        if (stream.type === 'WEB_DATA_STREAM' && !given.displayName) {
          throw invalidArgument('The display_name is missing.');
        }
        stream.displayName = given.displayName ?? '';
      }
      if (paths.has('web_stream_data') || paths.has('web_stream_data.default_uri')) {
        stream.defaultUri = given.webStreamData?.defaultUri ?? '';
      }
      stream.updatedMs = context.nowMs;
      return asMessage(stream);
    },
  }),

  DeleteDataStream: method<Named>({
    kind: 'write',
    parentOf: ({ name }) => parentOfName(name),
    run(context, { name }) {
      const stream = find(context, name, mayEdit);
      demandLive(context.world, parentOfName(stream.name));
      context.world.dataStreams.delete(stream.name);
      return {};
    },
  }),
};

function check(type: string, displayName: string, given: StreamMessage): void {
  if (displayName.length > 255) {
    throw invalidArgument('The display_name must have at most 255 UTF-16 code units.');
  }
  switch (type) {
    case 'WEB_DATA_STREAM':
      if (given.webStreamData === undefined) throw invalidArgument('The web_stream_data is missing.');
      if (displayName === '') throw invalidArgument('The display_name is missing.');
      return;
    case 'ANDROID_APP_DATA_STREAM':
      if (!given.androidAppStreamData?.packageName) throw invalidArgument('The package_name is missing.');
      return;
    case 'IOS_APP_DATA_STREAM':
      if (!given.iosAppStreamData?.bundleId) throw invalidArgument('The bundle_id is missing.');
      return;
    default:
      throw invalidArgument('The type is missing.');
  }
}

function find(context: Context, name = '', may: typeof mayEdit): DataStream {
  if (!/^properties\/\d+\/dataStreams\/\d+$/.test(name)) {
    throw invalidArgument(`${JSON.stringify(name)} is not the name of a data stream.`);
  }
  findProperty(context, parentOfName(name), may);
  const stream = context.world.dataStreams.get(name);
  if (stream === undefined) throw notFound(name);
  return stream;
}

function asMessage(stream: DataStream): object {
  const { type, measurementId, defaultUri, packageName, bundleId } = stream;
  return {
    name: stream.name,
    type,
    displayName: stream.displayName,
    createTime: timestamp(stream.createdMs),
    updateTime: timestamp(stream.updatedMs),
    ...(type === 'WEB_DATA_STREAM' ? { webStreamData: { measurementId, defaultUri } } : {}),
    ...(type === 'ANDROID_APP_DATA_STREAM' ? { androidAppStreamData: { packageName } } : {}),
    ...(type === 'IOS_APP_DATA_STREAM' ? { iosAppStreamData: { bundleId } } : {}),
  };
}
