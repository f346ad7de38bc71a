/** That a device is a user's. */
export interface Claim {
  readonly project: string;
  readonly anonymousId: string;
  /** Null where the sender gives no kind of login id. */
  readonly userKey: string | null;
  readonly userId: string;
}

/**
 * Decides claims one by one where a device is of one user and a user has one device: the function that it makes says of
 * each whether it binds, which it does where neither its device nor its user is bound yet. The claims of a project come
 * in their order and one after the other, those of different projects in turns of a whole project.
 *
 * Remembers the ids of one project's bound devices and users: 16 million of each at most, the capacity of a Set.
 */
export function startMatching<C extends Claim>(): (claim: C) => boolean {
  const devices = new Set<string>();
  const users = new Set<string>();
  let project: string | undefined;

  return (claim) => {
    if (claim.project !== project) {
      project = claim.project;
      devices.clear();
      users.clear();
    }
    const user = JSON.stringify([claim.userKey, claim.userId]);
    if (devices.has(claim.anonymousId) || users.has(user)) return false;
    devices.add(claim.anonymousId);
    users.add(user);
    return true;
  };
}
