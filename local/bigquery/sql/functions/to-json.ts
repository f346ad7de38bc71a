import { type Position, unsupported } from '../errors.ts';
import { bindOnce, type Fragment, quoteString } from '../fragment.ts';
import { type SqlType, structFieldName, typeName } from '../types.ts';

/**
 * Values as JSON. 64-bit integers beyond 2^53 are numbers in TO_JSON and strings in TO_JSON_STRING.
 * https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions#json_encodings
 */

/** TO_JSON: NULL becomes JSON null. */
export function toJson(operand: Fragment, at: Position): string {
  return `CAST(${toText(operand, at)} AS JSON)`;
}

/** The text of what TO_JSON makes. */
export function toText(operand: Fragment, at: Position): string {
  return textOf(operand.sql, operand.type, false, at);
}

/** TO_JSON_STRING: NULL becomes the text `null`. */
export function toJsonText(operand: Fragment, at: Position): string {
  return textOf(operand.sql, operand.type, true, at);
}

function textOf(sql: string, type: SqlType, asText: boolean, at: Position): string {
  if (type.kind === 'NULL') return "'null'";
  const text = bindOnce(
    [sql],
    ([value]) => `CASE WHEN ${value} IS NULL THEN 'null' ELSE ${textOfPresent(value!, type, asText, at)} END`,
  );
  return `(${text})`;
}

function textOfPresent(value: string, type: SqlType, asText: boolean, at: Position): string {
  switch (type.kind) {
    case 'JSON':
    case 'BOOL':
      return `CAST(${value} AS VARCHAR)`;
    case 'INT64': {
      const digits = `CAST(${value} AS VARCHAR)`;
      if (!asText) return digits;
      return `CASE WHEN ${value} BETWEEN -9007199254740992 AND 9007199254740992 THEN ${digits} ELSE '"' || ${digits} || '"' END`;
    }
    case 'FLOAT64':
      return asText ? `gs_json_of_float64(${value})` : `gs_json_number_of_float64(${value})`;
    case 'STRING':
      return `gs_json_of_string(${value})`;
    case 'BYTES':
      return `('"' || to_base64(${value}) || '"')`;
    case 'TIMESTAMP':
      return `('"' || replace(gs_string_of_datetime(${value} AT TIME ZONE 'UTC'), ' ', 'T') || 'Z"')`;
    case 'DATETIME':
      return `('"' || replace(gs_string_of_datetime(${value}), ' ', 'T') || '"')`;
    case 'DATE':
      return `('"' || gs_string_of_date(${value}) || '"')`;
    case 'TIME':
      return `('"' || gs_string_of_time(${value}) || '"')`;
    case 'ARRAY':
      return `('[' || array_to_string(list_transform(${value}, lambda gs_e${depthOf(type)}: ${textOf(`gs_e${depthOf(type)}`, type.element, asText, at)}), ',') || ']')`;
    case 'STRUCT': {
      const members = type.fields.map((field, index) => {
        const name = structFieldName(field, index);
        const member = textOf(`struct_extract(${value}, ${quoteString(name)})`, field.type, asText, at);
        return {
          name: field.name ?? '',
          text: `${quoteString(`${JSON.stringify(field.name ?? '')}:`)} || ${member}`,
        };
      });
      // A JSON value keeps its members sorted; a text keeps the order of the fields.
      if (!asText)
        members.sort((left, right) => Buffer.compare(Buffer.from(left.name), Buffer.from(right.name)));
      return `('{' || ${members.map(({ text }) => text).join(" || ',' || ")} || '}')`;
    }
    default:
      throw unsupported(`JSON of ${typeName(type)}`, at);
  }
}

/** Arrays inside structs inside arrays need variables of their own. */
function depthOf(type: SqlType): number {
  if (type.kind === 'ARRAY') return 1 + depthOf(type.element);
  if (type.kind === 'STRUCT') return Math.max(0, ...type.fields.map((field) => depthOf(field.type)));
  return 0;
}
