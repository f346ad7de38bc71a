import { demand, demandLive, mayEdit, mayRead } from './access.ts';
import { type Context, type Method, method, timestamp } from './method.ts';
import { type PageRequest, readPage } from './page.ts';
import { invalidArgument, permissionDenied } from './refuse.ts';
import { type FieldMask, readMask } from './update-mask.ts';
import { expiryOf, type Property, type World } from './world.ts';

interface PropertyMessage {
  readonly name?: string;
  readonly parent?: string;
  readonly propertyType?: string;
  readonly displayName?: string;
  readonly industryCategory?: string;
  readonly timeZone?: string;
  readonly currencyCode?: string;
}

type Named = { readonly name?: string };

const mutable = ['display_name', 'industry_category', 'time_zone', 'currency_code'] as const;
const pageSizes = { standard: 50, largest: 200 };

export const propertyMethods: Readonly<Record<string, Method>> = {
  GetProperty: method<Named>({
    kind: 'read',
    parentOf: ({ name }) => name,
    run: (context, { name }) => asMessage(findProperty(context, name, mayRead)),
  }),

  ListProperties: method<PageRequest & { filter?: string; showDeleted?: boolean }>({
    kind: 'read',
    parentOf: ({ filter }) => /(?:accounts|properties)\/\d+$/.exec(filter ?? '')?.[0],
    run({ world, caller, rules }, request) {
      const { filter = '', showDeleted = false } = request;
      const matches = readFilter(world, filter);
      const properties = [...world.properties.values()].filter(
        (it) => (showDeleted || !isInTrash(world, it)) && matches(it) && mayRead(world, it.name, caller),
      );
      const list = `properties of ${filter}, deleted ones too: ${showDeleted}`;
      const { page, nextPageToken } = readPage(list, properties, request, pageSizes, rules);
      return { properties: page.map(asMessage), nextPageToken };
    },
  }),

  CreateProperty: method<{ property?: PropertyMessage }>({
    kind: 'write',
    parentOf: ({ property }) => property?.parent,
    run({ world, caller, nowMs }, { property: given = {} }) {
      const { parent = '', propertyType = 'PROPERTY_TYPE_UNSPECIFIED' } = given;
      if (!/^accounts\/\d+$/.test(parent)) {
        throw invalidArgument(`The parent must be accounts/{account}, not ${JSON.stringify(parent)}.`);
      }
      if (!['PROPERTY_TYPE_UNSPECIFIED', 'PROPERTY_TYPE_ORDINARY'].includes(propertyType)) {
        throw invalidArgument(`A property of type ${propertyType} has a method of its own to create it.`);
      }
      const fields = checkFields(given);
      demand(world, parent, caller, mayEdit);
      demandLive(world, parent);
      const property: Property = {
        name: `properties/${world.newId()}`,
        account: parent,
        parent,
        propertyType: 'PROPERTY_TYPE_ORDINARY',
        ...fields,
        serviceLevel: 'GOOGLE_ANALYTICS_STANDARD',
        createdMs: nowMs,
        updatedMs: nowMs,
        deletedMs: undefined,
      };
      world.properties.set(property.name, property);
      return asMessage(property);
    },
  }),

  UpdateProperty: method<{ property?: PropertyMessage; updateMask?: FieldMask }>({
    kind: 'write',
    parentOf: ({ property }) => property?.name,
    run(context, { property: given = {}, updateMask }) {
      const paths = readMask(updateMask, mutable);
      const property = findProperty(context, given.name, mayEdit);
      demandLive(context.world, property.name);
      const from = (path: (typeof mutable)[number]) => (paths.has(path) ? given : property);
      const fields = checkFields({
        displayName: from('display_name').displayName ?? '',
        industryCategory: from('industry_category').industryCategory ?? 'INDUSTRY_CATEGORY_UNSPECIFIED',
        timeZone: from('time_zone').timeZone ?? '',
        currencyCode: from('currency_code').currencyCode ?? '',
      });
      Object.assign(property, fields, { updatedMs: context.nowMs });
      return asMessage(property);
    },
  }),

  DeleteProperty: method<Named>({
    kind: 'write',
    parentOf: ({ name }) => name,
    run(context, { name }) {
      const property = findProperty(context, name, mayEdit);
      demandLive(context.world, property.name);
      property.deletedMs = context.nowMs;
      return asMessage(property);
    },
  }),
};

/** The property of that name; throws PERMISSION_DENIED as well where there is none. */
export function findProperty({ world, caller }: Context, name = '', may: typeof mayEdit): Property {
  if (!/^properties\/\d+$/.test(name)) {
    throw invalidArgument(`${JSON.stringify(name)} is not the name of a property.`);
  }
  demand(world, name, caller, may);
  const property = world.properties.get(name);
  if (property === undefined) throw permissionDenied();
  return property;
}

/** With its account a property goes to the trash too, though it does not say so. */
function isInTrash(world: World, { deletedMs, account }: Property): boolean {
  return deletedMs !== undefined || world.accounts.get(account)?.deletedMs !== undefined;
}

/** The three forms of ListPropertiesRequest.filter. */
function readFilter(world: World, filter: string): (property: Property) => boolean {
  const { field, value } =
    /^(?<field>parent|ancestor|firebase_project):(?<value>\S+)$/.exec(filter)?.groups ?? {};
  const isAccount = /^accounts\/\d+$/.test(value ?? '');
  const isProperty = /^properties\/\d+$/.test(value ?? '');
  if (field === 'parent' && (isAccount || isProperty)) return ({ parent }) => parent === value;
  if (field === 'ancestor' && isAccount) return ({ account }) => account === value;
  if (field === 'firebase_project' && value !== undefined) {
    const linked = new Set(
      [...world.firebaseLinks.values()]
        .filter(({ projectId, projectNumber }) => projectId === value || projectNumber === value)
        .map(({ name }) => name.split('/').slice(0, 2).join('/')),
    );
    return ({ name }) => linked.has(name);
  }
  throw invalidArgument(`The filter is not one that is supported: ${JSON.stringify(filter)}.`);
}

type Fields = Pick<Property, 'displayName' | 'industryCategory' | 'timeZone' | 'currencyCode'>;

function checkFields(given: PropertyMessage): Fields {
  const {
    displayName = '',
    industryCategory = 'INDUSTRY_CATEGORY_UNSPECIFIED',
    timeZone = '',
    currencyCode = '',
  } = given;
  if (displayName === '') throw invalidArgument('The display_name is missing.');
  if (displayName.length > 100) {
    throw invalidArgument('The display_name must have at most 100 UTF-16 code units.');
  }
  if (!isTimeZone(timeZone)) {
    throw invalidArgument(`The time_zone must be of IANA's, not ${JSON.stringify(timeZone)}.`);
  }
  if (!/^(?:[A-Z]{3}|)$/.test(currencyCode)) {
    throw invalidArgument(`The currency_code must be of ISO 4217, not ${JSON.stringify(currencyCode)}.`);
  }
  return { displayName, industryCategory, timeZone, currencyCode };
}

function isTimeZone(name: string): boolean {
  if (name === '') return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function asMessage(property: Property): object {
  const { deletedMs } = property;
  return {
    name: property.name,
    propertyType: property.propertyType,
    createTime: timestamp(property.createdMs),
    updateTime: timestamp(property.updatedMs),
    parent: property.parent,
    account: property.account,
    displayName: property.displayName,
    industryCategory: property.industryCategory,
    timeZone: property.timeZone,
    currencyCode: property.currencyCode,
    serviceLevel: property.serviceLevel,
    ...(deletedMs === undefined
      ? {}
      : { deleteTime: timestamp(deletedMs), expireTime: timestamp(expiryOf(deletedMs)) }),
  };
}
