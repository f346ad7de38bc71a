import type { protos } from '@google-analytics/admin';
import type { GaAccountsRow, GaPropertiesRow } from '../../shared/warehouse/generated/row-types.ts';
import { type AdminApi, pagesOf } from './admin-api.ts';
import type { AccountName, PropertyName } from './live-state.ts';

type Instant = protos.google.protobuf.ITimestamp | null | undefined;

export type AccountDetails = Pick<
  GaAccountsRow,
  'display_name' | 'region_code' | 'create_time' | 'update_time' | 'deleted' | 'gmp_organization'
>;
export type PropertyDetails = Omit<
  GaPropertiesRow,
  'snapshot_id' | 'taken_at' | 'account' | 'streams' | 'data_streams' | 'property'
> & { readonly property: PropertyName };

/** A data stream as it stands in ga_properties. */
export interface Stream {
  readonly name: string;
  readonly type: string;
  readonly display_name: string;
  readonly default_uri?: string | undefined;
  readonly measurement_id?: string | undefined;
  readonly package_name?: string | undefined;
  readonly bundle_id?: string | undefined;
}

/** The most of a page of accounts, properties and data streams. */
const perPage = 200;

/** Every account that can be seen, those in the trash with them. */
export async function listAccounts(api: AdminApi, until: number): Promise<Map<AccountName, AccountDetails>> {
  const accounts = new Map<AccountName, AccountDetails>();
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const [items, , answer] = await client.listAccounts(
        { pageSize: perPage, pageToken, showDeleted: true },
        options,
      );
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    for (const account of page) {
      accounts.set(account.name as AccountName, {
        display_name: account.displayName || undefined,
        region_code: account.regionCode || undefined,
        create_time: micros(account.createTime),
        update_time: micros(account.updateTime),
        deleted: account.deleted ?? false,
        gmp_organization: account.gmpOrganization || undefined,
      });
    }
  }
  return accounts;
}

/** Every property of an account, parts of others and those in the trash with them. */
export async function listProperties(
  api: AdminApi,
  account: AccountName,
  until: number,
): Promise<PropertyDetails[]> {
  const properties: PropertyDetails[] = [];
  const filter = `ancestor:${account}`;
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const [items, , answer] = await client.listProperties(
        { filter, pageSize: perPage, pageToken, showDeleted: true },
        options,
      );
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    for (const property of page) {
      properties.push({
        property: property.name as PropertyName,
        parent: property.parent || undefined,
        display_name: property.displayName || undefined,
        property_type: word(property.propertyType),
        time_zone: property.timeZone || undefined,
        currency_code: property.currencyCode || undefined,
        industry_category: word(property.industryCategory),
        service_level: word(property.serviceLevel),
        create_time: micros(property.createTime),
        update_time: micros(property.updateTime),
        delete_time: micros(property.deleteTime),
        expire_time: micros(property.expireTime),
      });
    }
  }
  return properties;
}

export async function listStreams(api: AdminApi, property: PropertyName, until: number): Promise<Stream[]> {
  const streams: Stream[] = [];
  for await (const page of pagesOf((pageToken) =>
    api.read(async (client, options) => {
      const [items, , answer] = await client.listDataStreams(
        { parent: property, pageSize: perPage, pageToken },
        options,
      );
      return { items, nextPageToken: answer?.nextPageToken };
    }, until),
  )) {
    for (const { name, type, displayName, webStreamData, androidAppStreamData, iosAppStreamData } of page) {
      streams.push({
        name: name ?? '',
        type: word(type) ?? '',
        display_name: displayName ?? '',
        default_uri: webStreamData?.defaultUri || undefined,
        measurement_id: webStreamData?.measurementId || undefined,
        package_name: androidAppStreamData?.packageName || undefined,
        bundle_id: iosAppStreamData?.bundleId || undefined,
      });
    }
  }
  return streams;
}

/** An enum by its name; undefined for the one that says nothing. */
const word = (value: string | number | null | undefined): string | undefined =>
  typeof value === 'string' && !value.endsWith('_UNSPECIFIED') ? value : undefined;

const micros = (instant: Instant): number | undefined =>
  instant?.seconds == null
    ? undefined
    : Number(instant.seconds) * 1_000_000 + Math.floor((instant.nanos ?? 0) / 1_000);
