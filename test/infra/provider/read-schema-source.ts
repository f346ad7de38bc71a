import type { Block, SchemaType } from './schema.ts';

type Flags = { computed: boolean; optional: boolean; required: boolean };

/**
 * The schema of one resource, data source or provider, out of the TypeScript that CDK for Terraform made of it: every class
 * holds a block, and before each of its properties stands `// name - computed: x, optional: y, required: z`.
 * Throws where a property has a form that is not known.
 */
export function readSchemaSource(source: string): Block {
  const classes = new Map(
    [...source.matchAll(/^export class (\w+) extends (\S+) \{\n([\s\S]*?)^\}/gm)].map(
      ([, name = '', base = '', body = '']) => [name, { base, body }] as const,
    ),
  );
  const values = readPossibleValues(source);
  const root = [...classes].find(([, { base }]) =>
    /^cdktf\.Terraform(Resource|DataSource|Provider)$/.test(base),
  );
  if (root === undefined) throw new Error('There is no class of a resource, data source or provider.');
  return readBlock(root[0]);

  function readBlock(className: string): Block {
    const found = classes.get(className);
    if (found === undefined) throw new Error(`There is no class ${className}.`);
    const block: Block = { attributes: {}, blocks: {} };
    const possible =
      values.get(className.replace(/OutputReference$/, '')) ?? values.get(`${className}Config`);
    for (const { name, flags, text } of readProperties(found.body)) {
      if (isLeftOut(name, text)) continue;
      const nested =
        /private _\w+ = new (\w+?)(List|OutputReference)\(this, "\w+"(?:, (true|false))?\);/.exec(text);
      if (nested !== null) {
        const [, base = '', form = '', isSet] = nested;
        const inner = readBlock(`${base}OutputReference`);
        if (!/\bpublic put\w+\(/.test(text)) {
          block.attributes[name] = { type: ['list', objectType(inner)], ...flags };
          continue;
        }
        const isStruct = name === 'timeouts';
        block.blocks[name] = {
          nesting: isStruct ? 'single' : isSet === 'true' ? 'set' : 'list',
          ...(flags.required ? { minItems: 1 } : {}),
          ...(form === 'OutputReference' && !isStruct ? { maxItems: 1 } : {}),
          block: inner,
        };
        continue;
      }
      const oneOf = possible?.get(name);
      block.attributes[name] = {
        type: readType(name, text),
        ...flags,
        ...(oneOf === undefined ? {} : { possibleValues: oneOf }),
      };
    }
    return block;
  }
}

/** Of the provider's own configuration: what no module of ours may set, endpoints and blocks. */
const isLeftOut = (name: string, text: string): boolean =>
  name.endsWith('_custom_endpoint') || /private _\w+\?: GoogleProvider\w+\[\]/.test(text);

function* readProperties(body: string): Generator<{ name: string; flags: Flags; text: string }> {
  const heads = [
    ...body.matchAll(
      /\/\/ (\w+) - computed: (true|false), optional: (true|false), required: (true|false)\n/g,
    ),
  ];
  for (const [index, head] of heads.entries()) {
    const [, name = '', computed, optional, required] = head;
    yield {
      name,
      flags: { computed: computed === 'true', optional: optional === 'true', required: required === 'true' },
      text: body.slice(head.index, heads[index + 1]?.index),
    };
  }
}

const getters: [RegExp, SchemaType][] = [
  [/cdktf\.Fn\.tolist\(this\.getListAttribute\(/, ['set', 'string']],
  [/this\.getStringAttribute\(/, 'string'],
  [/this\.getNumberAttribute\(/, 'number'],
  [/this\.getBooleanAttribute\(/, 'bool'],
  [/this\.getStringMapAttribute\(/, ['map', 'string']],
  [/new cdktf\.StringMap\(this/, ['map', 'string']],
  [/this\.getListAttribute\(/, ['list', 'string']],
  [/this\.getNumberListAttribute\(/, ['list', 'number']],
];

/** Properties of a provider have no getters; their fields are typed. */
const fields: [RegExp, SchemaType][] = [
  [/private _\w+\?: string\b/, 'string'],
  [/private _\w+\?: number\b/, 'number'],
  [/private _\w+\?: boolean\b/, 'bool'],
  [/private _\w+\?: string\[\]/, ['list', 'string']],
  [/private _\w+\?: \{ \[key: string\]: string \}/, ['map', 'string']],
];

function readType(name: string, text: string): SchemaType {
  const found = [...getters, ...fields].find(([form]) => form.test(text));
  if (found === undefined) throw new Error(`${name} has a type of an unknown form:\n${text}`);
  return found[1];
}

function objectType({ attributes }: Block): SchemaType {
  return ['object', Object.fromEntries(Object.entries(attributes).map(([name, { type }]) => [name, type]))];
}

/** What the descriptions give as the only values of a property, by interface and name. */
function readPossibleValues(source: string): Map<string, Map<string, string[]>> {
  const interfaces = source.matchAll(/^export interface (\w+)(?: extends \S+)? \{\n([\s\S]*?)^\}/gm);
  return new Map(
    [...interfaces].map(([, name = '', body = '']) => {
      const documented = body.matchAll(/\/\*\*([\s\S]*?)\*\//g);
      const entries = [...documented].flatMap(([, text = '']) => {
        const list = /Possible values: \[([^\]]*)\]/.exec(text)?.[1];
        const property = /#(\w+) \w+#\w+\}/.exec(text)?.[1];
        const listed = [...(list ?? '').matchAll(/"([^"]*)"/g)].map(([, value = '']) => value);
        return property === undefined || listed.length === 0 ? [] : [[property, listed] as const];
      });
      return [name, new Map(entries)] as const;
    }),
  );
}
