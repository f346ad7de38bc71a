import { addBinding, bindingsOf, type World } from './world.ts';

/** What happens to the world from elsewhere: nobody checks whether it may. */
export interface Edits {
  /** Gives the user these roles and no others on the account or property. */
  bind(parent: string, user: string, roles: readonly string[]): void;
  unbind(parent: string, user: string): void;
  /** As the user interface moves a property to another account. */
  moveProperty(property: string, account: string): void;
  /** A person accepts the terms of service that a ticket is for, and administers the new account. Returns its name. */
  acceptTicket(ticket: string, user: string): string;
  /** Takes an account or property out of the trash. */
  restore(name: string): void;
}

export function createEdits(world: World, clock: () => number): Edits {
  return {
    bind(parent, user, roles) {
      const bindings = bindingsOf(world, parent);
      const known = bindings.of(user);
      if (known === undefined) addBinding(world, parent, user, roles);
      else bindings.put({ ...known, roles: [...new Set(roles)] });
    },
    unbind(parent, user) {
      const bindings = bindingsOf(world, parent);
      const known = bindings.of(user);
      if (known !== undefined) bindings.remove(known);
    },
    moveProperty(name, account) {
      const property = world.properties.get(name);
      if (property === undefined || !world.accounts.has(account))
        throw new Error(`no ${name} or no ${account}`);
      if (property.parent === property.account) property.parent = account;
      property.account = account;
    },
    acceptTicket(ticket, user) {
      const wanted = world.tickets.get(ticket);
      if (wanted === undefined) throw new Error(`no ticket ${ticket}`);
      world.tickets.delete(ticket);
      const name = `accounts/${world.newId()}`;
      world.accounts.set(name, {
        name,
        ...wanted,
        organization: undefined,
        allowedDomains: undefined,
        createdMs: clock(),
        updatedMs: clock(),
        deletedMs: undefined,
      });
      addBinding(world, name, user, ['predefinedRoles/admin']);
      return name;
    },
    restore(name) {
      const resource = world.accounts.get(name) ?? world.properties.get(name);
      if (resource === undefined) throw new Error(`no ${name}`);
      resource.deletedMs = undefined;
    },
  };
}
