import type { protos } from '@google-analytics/admin';
import { type AdminApi, pagesOf, ReadFailed } from '../admin-api.ts';
import type { AccountName } from '../live-state.ts';
import type { ResourceChange } from './resource-request.ts';

type Admin = typeof protos.google.analytics.admin.v1alpha;

/** An account, property or data stream as it is now, with the fields that can be changed. */
export interface Resource {
  readonly name: string;
  readonly displayName: string;
  readonly deleted: boolean;
  readonly [field: string]: string | boolean;
}

/** What a change is about, as it is. `account` is null where there is none yet. */
export interface Found {
  readonly account: AccountName | null;
  /** Null where it is to be made, and is not there. */
  readonly resource: Resource | null;
}

/** Looks up what a change is about; undefined where it cannot be seen. What is to be made is found by its name. */
export async function lookUp(
  api: AdminApi,
  change: ResourceChange,
  until: number,
): Promise<Found | undefined> {
  try {
    return await look(api, change, until);
  } catch (error) {
    // Google answers the same for what does not exist and what may not be seen.
    const isUnseen = error instanceof ReadFailed && ['NOT_FOUND', 'PERMISSION_DENIED'].includes(error.code);
    if (isUnseen) return undefined;
    throw error;
  }
}

async function look(api: AdminApi, change: ResourceChange, until: number): Promise<Found> {
  switch (change.op) {
    case 'provisionAccount':
      return { account: null, resource: null };
    case 'updateAccount':
    case 'deleteAccount': {
      const account = await getAccount(api, change.account, until);
      return { account: change.account, resource: account };
    }
    case 'createProperty': {
      await getAccount(api, change.account, until);
      const there = await listLive(api, change.account, until);
      return {
        account: change.account,
        resource: there.find(({ displayName }) => displayName === change.displayName) ?? null,
      };
    }
    case 'updateProperty':
    case 'deleteProperty':
      return getProperty(api, change.property, until);
    case 'createStream': {
      const { account } = await getProperty(api, change.property, until);
      const streams = await listWebStreams(api, change.property, until);
      return {
        account,
        resource: streams.find(({ displayName }) => displayName === change.displayName) ?? null,
      };
    }
    case 'updateStream':
    case 'deleteStream': {
      const property = change.stream.split('/dataStreams/')[0] ?? '';
      const { account } = await getProperty(api, property, until);
      return { account, resource: await getStream(api, change.stream, until) };
    }
  }
}

async function getAccount(api: AdminApi, name: string, until: number): Promise<Resource> {
  const [account] = await api.read((client, options) => client.getAccount({ name }, options), until);
  const { displayName, regionCode, deleted } = account;
  return { name, displayName: displayName ?? '', regionCode: regionCode ?? '', deleted: deleted ?? false };
}

async function getProperty(api: AdminApi, name: string, until: number): Promise<Found> {
  const [property] = await api.read((client, options) => client.getProperty({ name }, options), until);
  return { account: (property.account ?? '') as AccountName, resource: fromProperty(property) };
}

async function listLive(api: AdminApi, account: AccountName, until: number): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const request = { filter: `ancestor:${account}`, pageSize: 200, pageToken };
      const [items, , answer] = await client.listProperties(request, options);
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    found.push(...page.map(fromProperty));
  }
  return found;
}

async function listWebStreams(api: AdminApi, parent: string, until: number): Promise<Resource[]> {
  const found: Resource[] = [];
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const [items, , answer] = await client.listDataStreams({ parent, pageSize: 200, pageToken }, options);
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    found.push(...page.filter(({ type }) => type === 'WEB_DATA_STREAM').map(fromStream));
  }
  return found;
}

/** A stream that is gone is answered NOT_FOUND: it has no trash. */
async function getStream(api: AdminApi, name: string, until: number): Promise<Resource | null> {
  try {
    const [stream] = await api.read((client, options) => client.getDataStream({ name }, options), until);
    return fromStream(stream);
  } catch (error) {
    if (error instanceof ReadFailed && error.code === 'NOT_FOUND') return null;
    throw error;
  }
}

const fromProperty = (
  property: InstanceType<Admin['Property']> | protos.google.analytics.admin.v1alpha.IProperty,
): Resource => ({
  name: property.name ?? '',
  displayName: property.displayName ?? '',
  timeZone: property.timeZone ?? '',
  currencyCode: property.currencyCode ?? '',
  industryCategory: String(property.industryCategory ?? ''),
  deleted: property.deleteTime?.seconds != null,
});

const fromStream = (stream: protos.google.analytics.admin.v1alpha.IDataStream): Resource => ({
  name: stream.name ?? '',
  displayName: stream.displayName ?? '',
  defaultUri: stream.webStreamData?.defaultUri ?? '',
  deleted: false,
});
