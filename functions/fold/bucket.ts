import { hash } from 'node:crypto';

/** The partitions of profile_operations and persons: shared/warehouse/tables/profile-operations.ts. */
export const bucketCount = 4000;

/**
 * The partition that a person lies in. `id`: the user id or, where there is none, the anonymous id. Equal to `bucketSql`,
 * also beyond ASCII, as MD5 is taken over UTF-8 on both sides.
 */
export function bucketOf(project: string, id: string): number {
  return Number.parseInt(hash('md5', `${project}\n${id}`, 'hex').slice(0, 8), 16) % bucketCount;
}

/** The same in GoogleSQL, of two expressions of type STRING; NULL where one of them is. */
export const bucketSql = (project: string, id: string): string =>
  `MOD(CAST(CONCAT('0x', SUBSTR(TO_HEX(MD5(CONCAT(${project}, '\\n', ${id}))), 1, 8)) AS INT64), ${bucketCount})`;
