import { bucketSql } from './bucket.ts';
import { fillSql, type SqlFile, type SqlTexts } from './read-sql.ts';

/** The view `profiles`: GoogleSQL over state_log and identity_bindings. */
export const profilesView = (files?: SqlTexts): string =>
  composeFold(
    'profiles.sql',
    'tributary',
    personOf,
    {
      operations: '`tributary.state_log`',
      counted: "log.debug != 1\n    AND (log.kind = 'alias' OR STARTS_WITH(log.kind, 'profile_'))",
    },
    files,
  );

/** The view `items`: GoogleSQL over state_log. */
export const itemsView = (files?: SqlTexts): string =>
  composeFold('items.sql', 'tributary', 'project, item_key, item_id', {}, files);

/** The query whose result is the whole of `persons`, from profile_operations and identity_bindings. */
export const personsRebuild = (dataset: string): string =>
  composeFold('rebuild-persons.sql', dataset, personOf, {
    operations: `\`${dataset}.profile_operations\``,
    counted: 'TRUE',
    bucket: bucketSql('project', 'COALESCE(user_id, anonymous_id)'),
  });

/**
 * The statement that brings the rows of some persons in `persons` up to date, and deletes those of them that have no
 * operation any more. Parameters:
 * - `@persons` ARRAY<STRUCT<project STRING, user_key STRING, user_id STRING, anonymous_id STRING>>: the persons to fold
 *   anew as `persons` keys them, without or with repetitions;
 * - `@buckets` ARRAY<INT64>: the buckets of those persons and of all devices that are bound to them, or more;
 * - `@carried` ARRAY<STRUCT<..., updated_at INT64, dialect STRING, events STRING>>: the others, each once: what
 *   `persons` says of when they were updated, in microseconds since 1970, NULL where it has no such person; and the
 *   event_ids that came in of each, with commas between;
 * - `@carried_buckets`, `@person_buckets` ARRAY<INT64>: the buckets of those, and of both kinds of persons;
 * - `@run` INT64: under which it lies in `arrived_operations`.
 */
export const personsMerge = (dataset: string): string =>
  composeFold('merge-persons.sql', dataset, personOf, {
    operations: 'known',
    counted: 'TRUE',
    stated: 'stated_of_touched',
    bucket: bucketSql('touched.project', 'COALESCE(touched.user_id, touched.anonymous_id)'),
  });

const personOf = 'project, user_key, user_id, anonymous_id';

/** The statement of a file with the places in braces filled; `subject` are the columns that name what is folded. */
function composeFold(
  file: SqlFile,
  dataset: string,
  subject: string,
  places: Readonly<Record<string, string>>,
  files?: SqlTexts,
): string {
  return fillSql(file, dataset, { subject, stated: 'stated', ...places }, files);
}
