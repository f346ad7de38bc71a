import { invalidArgument } from './refuse.ts';

/** google.protobuf.FieldMask. */
export interface FieldMask {
  readonly paths?: readonly string[];
}

/**
 * The paths of an update mask, each one of `known`; `*` is all of them. Throws INVALID_ARGUMENT where there is none, and
 * for what cannot be changed: "Field names must be in snake case".
 */
export function readMask<Path extends string>(
  mask: FieldMask | undefined,
  known: readonly Path[],
): ReadonlySet<Path> {
  const paths = mask?.paths ?? [];
  if (paths.length === 0) throw invalidArgument('The update_mask is missing.');
  if (paths.includes('*')) {
    if (paths.length > 1) throw invalidArgument('An update_mask with * must have no other path.');
    return new Set(known);
  }
  return new Set(
    paths.map((path) => {
      const found = known.find((it) => it === path);
      if (found === undefined)
        throw invalidArgument(`The update_mask has a path that cannot be updated: ${path}.`);
      return found;
    }),
  );
}
