import type { BigQuery, Query, TableField } from '@google-cloud/bigquery';

export interface QueryResult {
  fields: TableField[];
  rows: Readonly<Record<string, unknown>>[];
}

/** A named parameter of a scalar type. */
export interface QueryParameter {
  name: string;
  /** GoogleSQL's name of the type. */
  type: string;
  /** As text, whatever the type: REST takes it so, and no digit is lost. */
  value: string;
}

/** The members of a query that carry its parameters. */
export function queryParameters(parameters: readonly QueryParameter[]): Partial<Query> {
  if (parameters.length === 0) return {};
  return {
    parameterMode: 'NAMED',
    queryParameters: parameters.map(({ name, type, value }) => ({
      name,
      parameterType: { type },
      parameterValue: { value },
    })),
  };
}

/** Runs a query to its end, with its schema, integers wrapped so that none loses digits. Rejects with BigQuery's error. */
export async function runQuery(bigquery: BigQuery, query: Query): Promise<QueryResult> {
  const [job] = await bigquery.createQueryJob(query);
  const rows: QueryResult['rows'] = [];
  let fields: TableField[] = [];
  let pageToken: string | undefined;
  do {
    const [page, , response] = await job.getQueryResults({
      autoPaginate: false,
      wrapIntegers: true,
      ...(pageToken === undefined ? {} : { pageToken }),
    });
    for (const row of page) rows.push(row);
    fields = response?.schema?.fields ?? fields;
    pageToken = response?.pageToken ?? undefined;
  } while (pageToken);
  return { fields, rows };
}
