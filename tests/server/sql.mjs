// SQL for what a query string asks for. Values are literals of unknown type, as PostgREST sends them: the database reads
// each in the type of the column that it meets, and says 22P02 where it cannot.
import { ApiError } from "./errors.mjs";
import { PATTERNS, SIMPLE } from "./grammar.mjs";

export const identifier = (name) => `"${name.replaceAll('"', '""')}"`;
export const literal = (value) => {
  if (value.includes("\0")) throw new ApiError(400, "22021", 'invalid byte sequence for encoding "UTF8": 0x00');
  return `${value.includes("\\") ? " E" : ""}'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
};
export const relation = ({ schema, name }) => `${identifier(schema)}.${identifier(name)}`;
const arrayLiteral = (values) =>
  literal(`{${values.map((value) => `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`).join(",")}}`);

// A column, or a path into it. Whatever is not JSON is made so: ->> works on every type.
const fieldOf = (table, { column, path }) => {
  const name = `${relation(table)}.${identifier(column)}`;
  if (!path.length) return name;
  const isJson = ["json", "jsonb"].includes(table.columns.get(column)?.plain);
  const steps = path.map(({ arrow, key }) => `${arrow}${/^\d+$/.test(key) ? key : literal(key)}`);
  return [isJson ? name : `to_jsonb(${name})`, ...steps].join("");
};

const test = (table, { field, operator, value, values, word }) => {
  const left = fieldOf(table, field);
  if (operator === "is") return `${left} is ${word}`;
  if (operator === "in") {
    const nothing = values.length === 1 && values[0] === "";
    return `${left} = any (${nothing ? "'{}'" : arrayLiteral(values)})`;
  }
  if (operator in PATTERNS) return `${left} ${PATTERNS[operator]} ${literal(value.replaceAll("*", "%"))}`;
  return `${left} ${SIMPLE[operator]} ${literal(value)}`;
};
const condition = (table, { negated, ...wanted }) => {
  const plain = wanted.parts
    ? `(${wanted.parts.map((part) => condition(table, part)).join(` ${wanted.joint} `)})`
    : test(table, wanted);
  return negated ? `not (${plain})` : plain;
};
export const where = (table, filters) =>
  filters.length ? ` where ${filters.map((filter) => condition(table, filter)).join(" and ")}` : "";

const selectItem = (table, item) => {
  if (item.star) return `${relation(table)}.*`;
  const field = fieldOf(table, item);
  const value = item.cast ? `cast(${field} as ${item.cast})` : field;
  const last = item.path.at(-1)?.key;
  const alias = item.alias ?? last ?? (item.cast ? item.column : null);
  return alias ? `${value} as ${identifier(alias)}` : value;
};
export const selection = (table, select) => select.map((item) => selectItem(table, item)).join(", ");

export const ordering = (table, order) => {
  const terms = order.map(({ direction, nulls, ...field }) =>
    [fieldOf(table, field), direction, ...(nulls ? [`nulls ${nulls}`] : [])].join(" "),
  );
  return terms.length ? ` order by ${terms.join(", ")}` : "";
};

// The rows of a body as a relation of the columns' own types, length included.
export const rowsOf = (table, columns) => {
  const typed = columns.map((name) => `${identifier(name)} ${table.columns.get(name).type}`).join(", ");
  return `json_to_recordset(case json_typeof($1::text::json) when 'array' then $1::text::json
    else json_build_array($1::text::json) end) as pgrst_body(${typed})`;
};

// Filled columns where the body leaves some out and the caller wants their defaults (Prefer: missing=default).
export const withDefaults = (table, columns) => {
  const defaults = columns
    .map((name) => table.columns.get(name))
    .filter((column) => column.default !== null)
    .map((column) => `${literal(column.name)}, ${column.default}`);
  const typed = columns.map((name) => `${identifier(name)} ${table.columns.get(name).type}`).join(", ");
  return `(select jsonb_build_object(${defaults.join(", ")}) as filled) as pgrst_defaults,
    jsonb_to_recordset((select jsonb_agg(filled || element) from jsonb_array_elements(
      case jsonb_typeof($1::text::jsonb) when 'array' then $1::text::jsonb else jsonb_build_array($1::text::jsonb) end
    ) as element)) as pgrst_body(${typed})`;
};
