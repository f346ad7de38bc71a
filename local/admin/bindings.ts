/** Who has which roles on one account or property. */
export interface Binding {
  readonly name: string;
  readonly user: string;
  readonly roles: readonly string[];
}

/** The bindings of one parent: a user has at most one. Addresses that differ in case only are one user's. */
export interface Bindings {
  values(): Iterable<Binding>;
  named(name: string): Binding | undefined;
  of(user: string): Binding | undefined;
  /** Adds the binding, or takes the place of the one with its name. */
  put(binding: Binding): void;
  remove(binding: Binding): void;
  /** As they are now, to return to with `restore`. */
  copy(): readonly Binding[];
  restore(copy: readonly Binding[]): void;
}

export function createBindings(): Bindings {
  const byName = new Map<string, Binding>();
  const byUser = new Map<string, Binding>();
  const put = (binding: Binding) => {
    byName.set(binding.name, binding);
    byUser.set(binding.user.toLowerCase(), binding);
  };
  return {
    values: () => byName.values(),
    named: (name) => byName.get(name),
    of: (user) => byUser.get(user.toLowerCase()),
    put,
    remove({ name, user }) {
      byName.delete(name);
      byUser.delete(user.toLowerCase());
    },
    copy: () => [...byName.values()],
    restore(copy) {
      byName.clear();
      byUser.clear();
      for (const binding of copy) put(binding);
    },
  };
}
