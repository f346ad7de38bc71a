import { mayEdit, mayRead, maySeeAccount } from './access.ts';
import { type Method, method } from './method.ts';
import { type PageRequest, readPage } from './page.ts';

const pageSizes = { standard: 50, largest: 200 };

export const accountSummaryMethods: Readonly<Record<string, Method>> = {
  ListAccountSummaries: method<PageRequest>({
    kind: 'read',
    run({ world, caller, rules }, request) {
      const accounts = [...world.accounts.values()].filter(
        ({ name, deletedMs }) => deletedMs === undefined && maySeeAccount(world, name, caller),
      );
      const properties = Map.groupBy(world.properties.values(), ({ account }) => account);
      const { page, nextPageToken } = readPage('account summaries', accounts, request, pageSizes, rules);
      return {
        accountSummaries: page.map(({ name, displayName }) => ({
          name: name.replace('accounts/', 'accountSummaries/'),
          account: name,
          displayName,
          propertySummaries: (properties.get(name) ?? [])
            .filter((it) => it.deletedMs === undefined && mayRead(world, it.name, caller))
            .map((it) => ({
              property: it.name,
              displayName: it.displayName,
              propertyType: it.propertyType,
              parent: it.parent,
              canEdit: mayEdit(world, it.name, caller),
            })),
        })),
        nextPageToken,
      };
    },
  }),
};
