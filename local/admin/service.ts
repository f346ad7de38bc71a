import { createRequire } from 'node:module';
import protobuf from 'protobufjs';

export const serviceName = 'google.analytics.admin.v1alpha.AnalyticsAdminService';

/** The protos that Google's own client ships, as JSON: what both transports are made of. */
export function readProtos(): object {
  return createRequire(import.meta.url)('@google-analytics/admin/build/protos/protos.json');
}

/** A way that a method is called over HTTP, by its google.api.http option. */
export interface Route {
  readonly method: string;
  readonly verb: string;
  readonly path: RegExp;
  /** The fields that the groups of `path` are, such as `property.name`. */
  readonly fields: readonly string[];
  /** The field that the body is, `*` for the whole request. */
  readonly body: string | undefined;
  readonly request: protobuf.Type;
  readonly response: protobuf.Type;
}

/** Reads the routes of every method of the service. */
export function readRoutes(): Route[] {
  const root = protobuf.Root.fromJSON(readProtos());
  root.resolveAll();
  return root.lookupService(serviceName).methodsArray.flatMap((method) => {
    const { resolvedRequestType: request, resolvedResponseType: response } = method;
    if (request === null || response === null) throw new Error(`${method.name} has no types`);
    return readRules(method.parsedOptions).map(({ verb, template, body }) => {
      const fields: string[] = [];
      const pattern = template.replaceAll(
        /\{(?<field>[\w.]+)=(?<shape>[^}]+)\}/g,
        (_match, field: string, shape: string) => {
          fields.push(field);
          return `(${shape.replaceAll('*', '[^/:]+')})`;
        },
      );
      return { method: method.name, verb, path: new RegExp(`^${pattern}$`), fields, body, request, response };
    });
  });
}

interface Rule {
  readonly verb: string;
  readonly template: string;
  readonly body: string | undefined;
}

function readRules(options: unknown): Rule[] {
  const all: unknown[] = Array.isArray(options) ? options : [];
  return all.flatMap((option) => {
    const http = (option as Record<string, unknown>)['(google.api.http)'] as HttpOption | undefined;
    if (http === undefined) return [];
    const more = http.additional_bindings ?? [];
    return [http, ...(Array.isArray(more) ? more : [more])].flatMap((it) =>
      verbs.flatMap((verb) => {
        const template = it[verb];
        return template === undefined ? [] : [{ verb: verb.toUpperCase(), template, body: it.body }];
      }),
    );
  });
}

const verbs = ['get', 'post', 'patch', 'delete', 'put'] as const;

type HttpOption = Partial<Record<(typeof verbs)[number] | 'body', string>> & {
  readonly additional_bindings?: HttpOption | readonly HttpOption[];
};
