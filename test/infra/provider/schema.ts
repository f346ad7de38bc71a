/** A type as Terraform writes it in JSON. */
export type SchemaType = string | [string, SchemaType | { [name: string]: SchemaType }];

export interface Attribute {
  type: SchemaType;
  computed: boolean;
  optional: boolean;
  required: boolean;
  /** The only values that the provider's documentation names. */
  possibleValues?: string[];
}

export interface NestedBlock {
  nesting: 'single' | 'list' | 'set';
  minItems?: number;
  maxItems?: number;
  block: Block;
}

export interface Block {
  attributes: Record<string, Attribute>;
  blocks: Record<string, NestedBlock>;
}

/** What a provider serves: of each type its block, and where all that comes from. */
export interface ProviderSchema {
  /** Package and version that it was read from. */
  source: string;
  /** Name and version of the provider. */
  provider: string;
  version: string;
  configuration: Block;
  resources: Record<string, Block>;
  dataSources: Record<string, Block>;
}
