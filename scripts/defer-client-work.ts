import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import type { Plugin } from 'esbuild';

/**
 * Puts off work that Google's clients do at start and most processes never need, without changing what they do:
 * describing every message for reflection, and building an IAM client beside each publisher.
 * A build fails when a client no longer contains the code that is changed here, so an update cannot slip through.
 */
export function deferClientWork(root: string): Plugin {
  return {
    name: 'defer-client-work',
    setup(build) {
      for (const { filter, changes } of DEFERRALS) {
        build.onLoad({ filter }, async ({ path }) => {
          let contents = await readFile(path, 'utf8');
          for (const [before, after] of changes) {
            if (!contents.includes(before)) {
              const place = relative(root, path);
              return { errors: [{ text: `${place} no longer contains what is put off here: ${before}` }] };
            }
            contents = contents.replaceAll(before, after);
          }
          return { contents, loader: 'js' };
        });
      }
    },
  };
}

const DEFERRALS: { filter: RegExp; changes: [before: string, after: string][] }[] = [
  {
    // Message descriptors serve grpc reflection only; a client needs just serialize and deserialize.
    filter: /[\\/]@grpc[\\/]proto-loader[\\/]build[\\/]src[\\/]index\.js$/,
    changes: [
      [
        'const descriptor = require("protobufjs/ext/descriptor");',
        `const descriptor = {
          get FileDescriptorProto() { return require("protobufjs/ext/descriptor").FileDescriptorProto; },
          get FileDescriptorSet() { return require("protobufjs/ext/descriptor").FileDescriptorSet; },
        };
        function describe(reflected) {
          void descriptor.FileDescriptorProto;
          const described = reflected.toDescriptor('proto3');
          return described.$type.toObject(described, descriptorOptions);
        }`,
      ],
      ["const messageDescriptor = message.toDescriptor('proto3');", ''],
      ["const enumDescriptor = enumType.toDescriptor('proto3');", ''],
      [
        'type: messageDescriptor.$type.toObject(messageDescriptor, descriptorOptions),',
        'get type() { return describe(message); },',
      ],
      [
        'type: enumDescriptor.$type.toObject(enumDescriptor, descriptorOptions),',
        'get type() { return describe(enumType); },',
      ],
      ['fileDescriptorProtos: fileDescriptors,', 'get fileDescriptorProtos() { return fileDescriptors(); },'],
      ["const descriptorList = root.toDescriptor('proto3').file;", 'let bufferList;'],
      [
        'const bufferList = descriptorList.map(value => Buffer.from(descriptor.FileDescriptorProto.encode(value).finish()));',
        `const listFiles = () => bufferList ??= root.toDescriptor('proto3').file
          .map(value => Buffer.from(descriptor.FileDescriptorProto.encode(value).finish()));`,
      ],
      ['createDefinition(obj, name, options, bufferList)', 'createDefinition(obj, name, options, listFiles)'],
    ],
  },
  {
    filter: /[\\/]@google-cloud[\\/]pubsub-api[\\/]build[\\/]src[\\/]v1[\\/]\w+_client\.js$/,
    changes: [
      [
        'this.iamClient = new this._gaxModule.IamClient(this._gaxGrpc, opts);',
        `let iamClient;
        Object.defineProperty(this, 'iamClient', {
          configurable: true,
          enumerable: true,
          get: () => iamClient ??= new this._gaxModule.IamClient(this._gaxGrpc, opts),
          set: (value) => { iamClient = value; },
        });`,
      ],
    ],
  },
];
