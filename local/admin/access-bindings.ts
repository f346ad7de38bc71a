import { demand, demandLive, mayManageUsers } from './access.ts';
import type { Binding } from './bindings.ts';
import { batchCreate, type CreateRequest, createOne } from './create-bindings.ts';
import type { Context } from './method.ts';
import { type Method, method, parentOfName } from './method.ts';
import { type PageRequest, readPage } from './page.ts';
import { invalidArgument, notFound } from './refuse.ts';
import { checkRoles } from './roles.ts';
import { bindingsOf, type World } from './world.ts';

/** As on the wire. */
export interface BindingMessage {
  readonly name?: string;
  readonly user?: string;
  readonly roles?: readonly string[];
}

type Named = { readonly name?: string };
type Update = { readonly accessBinding?: BindingMessage };

/** Google's limits of a batch, and of a page. */
const MOST_ENTRIES = 1000;
const pageSizes = { standard: 200, largest: 500 };

export const accessBindingMethods: Readonly<Record<string, Method>> = {
  ListAccessBindings: method<PageRequest & { parent?: string }>({
    kind: 'read',
    parentOf: ({ parent }) => parent,
    run({ world, caller, rules }, request) {
      const parent = checkParent(request.parent);
      demand(world, parent, caller, mayManageUsers);
      const bindings = bindingsOf(world, parent).values();
      const { page, nextPageToken } = readPage(`bindings of ${parent}`, bindings, request, pageSizes, rules);
      return { accessBindings: page.map(asMessage), nextPageToken };
    },
  }),

  GetAccessBinding: method<Named>({
    kind: 'read',
    parentOf: ({ name }) => parentOfName(name),
    run: ({ world, caller }, { name }) => asMessage(find(world, caller, name)),
  }),

  BatchGetAccessBindings: method<{ parent?: string; names?: readonly string[] }>({
    kind: 'read',
    parentOf: ({ parent }) => parent,
    entriesOf: ({ names }) => names?.length ?? 0,
    run({ world, caller }, { parent, names = [] }) {
      checkParent(parent);
      checkBatch(names);
      for (const name of names) checkSameParent(parentOfName(name), parent);
      return { accessBindings: names.map((name) => asMessage(find(world, caller, name))) };
    },
  }),

  CreateAccessBinding: method<CreateRequest>({
    kind: 'write',
    parentOf: ({ parent }) => parent,
    run(context, request) {
      const parent = checkParent(request.parent);
      demand(context.world, parent, context.caller, mayManageUsers);
      demandLive(context.world, parent);
      return asMessage(createOne(context, parent, request.accessBinding));
    },
  }),

  BatchCreateAccessBindings: method<{ parent?: string; requests?: readonly CreateRequest[] }>({
    kind: 'write',
    parentOf: ({ parent }) => parent,
    entriesOf: ({ requests }) => requests?.length ?? 0,
    run(context, request) {
      const parent = checkParent(request.parent);
      const requests = request.requests ?? [];
      checkBatch(requests);
      for (const child of requests) {
        if (child.parent) checkSameParent(child.parent, parent);
      }
      demand(context.world, parent, context.caller, mayManageUsers);
      demandLive(context.world, parent);
      return { accessBindings: batchCreate(context, parent, requests).map(asMessage) };
    },
  }),

  UpdateAccessBinding: method<Update>({
    kind: 'write',
    parentOf: ({ accessBinding }) => parentOfName(accessBinding?.name),
    run: (context, request) => update(context, request),
  }),

  BatchUpdateAccessBindings: method<{ parent?: string; requests?: readonly Update[] }>({
    kind: 'write',
    isEntryWise: true,
    parentOf: ({ parent }) => parent,
    entriesOf: ({ requests }) => requests?.length ?? 0,
    run(context, { parent, requests = [] }) {
      const owner = checkParent(parent);
      checkBatch(requests);
      for (const { accessBinding } of requests) checkSameParent(parentOfName(accessBinding?.name), parent);
      return { accessBindings: applyEach(context, owner, requests, update) };
    },
  }),

  DeleteAccessBinding: method<Named>({
    kind: 'write',
    parentOf: ({ name }) => parentOfName(name),
    run: (context, request) => remove(context, request),
  }),

  BatchDeleteAccessBindings: method<{ parent?: string; requests?: readonly Named[] }>({
    kind: 'write',
    isEntryWise: true,
    parentOf: ({ parent }) => parent,
    entriesOf: ({ requests }) => requests?.length ?? 0,
    run(context, { parent, requests = [] }) {
      const owner = checkParent(parent);
      checkBatch(requests);
      for (const { name } of requests) checkSameParent(parentOfName(name), parent);
      applyEach(context, owner, requests, remove);
      return {};
    },
  }),
};

/** One entry after the other: the proto says of batchCreate only that it is a transaction. */
function applyEach<Request, Result>(
  context: Context,
  parent: string,
  requests: readonly Request[],
  apply: (context: Context, request: Request) => Result,
): Result[] {
  const bindings = bindingsOf(context.world, parent);
  const before = context.rules.partialBatches ? undefined : bindings.copy();
  const results: Result[] = [];
  try {
    for (const [index, request] of requests.entries()) {
      if (!context.goesOn(index)) break;
      results.push(apply(context, request));
    }
    return results;
  } catch (error) {
    if (before !== undefined) bindings.restore(before);
    throw error;
  }
}

/** The roles are replaced whole, there is no mask; none at all deletes the binding. */
function update(context: Context, { accessBinding = {} }: Update): BindingMessage {
  const { world, caller, rules } = context;
  const binding = find(world, caller, accessBinding.name);
  demandLive(world, parentOfName(binding.name));
  const roles = accessBinding.roles ?? [];
  checkRoles(roles, rules.unknownRoles, binding.roles);
  if (accessBinding.user && accessBinding.user.toLowerCase() !== binding.user.toLowerCase()) {
    throw invalidArgument('The user of an access binding cannot be changed.');
  }
  const updated = { ...binding, roles: [...new Set(roles)] };
  const bindings = bindingsOf(world, parentOfName(binding.name));
  if (roles.length === 0) bindings.remove(binding);
  else bindings.put(updated);
  return asMessage(updated);
}

function remove({ world, caller }: Context, { name }: Named): object {
  const binding = find(world, caller, name);
  demandLive(world, parentOfName(binding.name));
  bindingsOf(world, parentOfName(name)).remove(binding);
  return {};
}

function find(world: World, caller: string, name = ''): Binding {
  if (!/^(?:accounts|properties)\/\d+\/accessBindings\/[^/]+$/.test(name)) {
    throw invalidArgument(`${JSON.stringify(name)} is not the name of an access binding.`);
  }
  const parent = parentOfName(name);
  demand(world, parent, caller, mayManageUsers);
  const binding = bindingsOf(world, parent).named(name);
  if (binding === undefined) throw notFound(name);
  return binding;
}

function checkParent(parent = ''): string {
  if (/^(?:accounts|properties)\/\d+$/.test(parent)) return parent;
  throw invalidArgument(
    `The parent must be accounts/{account} or properties/{property}, not ${JSON.stringify(parent)}.`,
  );
}

function checkSameParent(child: string, parent: string | undefined): void {
  if (child === parent) return;
  throw invalidArgument(`The parent of each request must be ${parent}; one has ${JSON.stringify(child)}.`);
}

function checkBatch(entries: readonly unknown[]): void {
  if (entries.length === 0) throw invalidArgument('The batch is empty.');
  if (entries.length > MOST_ENTRIES) {
    throw invalidArgument(
      `A batch may have at most ${MOST_ENTRIES} requests; this one has ${entries.length}.`,
    );
  }
}

function asMessage({ name, user, roles }: Binding): BindingMessage {
  return { name, user, roles };
}
