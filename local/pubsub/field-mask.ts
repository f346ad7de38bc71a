import { invalidArgument } from './refuse.ts';

export interface FieldMask {
  paths?: string[];
}

/** The paths of an update mask. Throws INVALID_ARGUMENT, in Google's words, for an empty mask and unknown or fixed fields. */
export function checkMask(
  resource: 'Topic' | 'Subscription',
  mask: FieldMask | undefined,
  fields: { mutable: readonly string[]; immutable: readonly string[] },
): string[] {
  const paths = mask?.paths ?? [];
  if (paths.length === 0) {
    throw invalidArgument(
      `The update_mask in the Update${resource}Request must be set, and must contain a non-empty paths list.`,
    );
  }
  for (const path of paths) {
    if (fields.mutable.includes(path)) continue;
    if (fields.immutable.includes(path)) {
      throw invalidArgument(
        `Invalid update_mask provided in the Update${resource}Request: the '${path}' field in the ${resource} is not mutable.`,
      );
    }
    throw invalidArgument(
      `Invalid update_mask provided in the Update${resource}Request: '${path}' is not a known ${resource} field. Note that field paths must be of the form 'push_config' rather than 'pushConfig'.`,
    );
  }
  return paths;
}
