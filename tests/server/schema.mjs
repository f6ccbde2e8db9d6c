// What the API knows of a schema: tables with their columns, functions with their arguments, and its description of
// itself. Read again whenever something was changed through the control channel, as a hosted project's API does when
// its event trigger tells it to.
import { ApiError } from "./errors.mjs";

const TABLES = `
  select c.relname as "table", c.relkind in ('v', 'm') as view, a.attname as name, a.attnotnull as required,
         format_type(a.atttypid, a.atttypmod) as type, format_type(a.atttypid, null) as plain, t.typtype as kind,
         case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end as "default",
         case when t.typname in ('varchar', 'bpchar') and a.atttypmod > 4 then a.atttypmod - 4 end as longest,
         (select json_agg(e.enumlabel order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid) as labels,
         exists (select from pg_index i where i.indrelid = c.oid and i.indisprimary and a.attnum = any(i.indkey)) as main
  from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
  left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
  where c.relnamespace = $1::text::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f')
    and a.attnum > 0 and not a.attisdropped
  order by c.relname, a.attnum`;

const FUNCTIONS = `
  select p.proname as name, p.oid::int as oid, p.proretset as "set", p.provolatile <> 'v' as stable,
         t.typname = 'void' as empty, t.typtype = 'c' as composite, p.pronargdefaults as optional,
         (select json_agg(json_build_object('name', coalesce(n.name, ''), 'type', format_type(a.type, null)) order by a.place)
          from unnest(p.proargtypes) with ordinality as a(type, place)
          left join unnest(p.proargnames) with ordinality as n(name, place) using (place)) as arguments
  from pg_proc p join pg_type t on t.oid = p.prorettype
  where p.pronamespace = $1::text::regnamespace and p.prokind = 'f' and t.typname not in ('trigger', 'event_trigger')`;

// Read a schema. `run` carries out SQL as the owner of the database.
export const readSchema = async (run, schema) => {
  const tables = new Map();
  for (const { table, view, ...column } of await run(TABLES, [schema])) {
    if (!tables.has(table)) tables.set(table, { name: table, schema, view, columns: new Map() });
    tables.get(table).columns.set(column.name, column);
  }
  const functions = (await run(FUNCTIONS, [schema])).map((found) => ({ ...found, arguments: found.arguments ?? [] }));
  return { name: schema, tables, functions };
};

const nearest = (wanted, known) => known.find((one) => one.includes(wanted) || wanted.includes(one));

export const tableOf = (schema, name) => {
  const found = schema.tables.get(name);
  if (found) return found;
  const other = nearest(name, [...schema.tables.keys()]);
  const hint = other ? `Perhaps you meant the table '${schema.name}.${other}'` : null;
  throw new ApiError(404, "PGRST205", `Could not find the table '${schema.name}.${name}' in the schema cache`, { hint });
};

// Return the one function that takes arguments of these names.
export const functionOf = (schema, name, given) => {
  const takes = (one) => {
    const known = one.arguments.map((argument) => argument.name);
    const needed = known.slice(0, known.length - one.optional);
    return given.every((argument) => known.includes(argument)) && needed.every((argument) => given.includes(argument));
  };
  const found = schema.functions.filter((one) => one.name === name && takes(one));
  if (found.length === 1) return found[0];
  const shown = (one) => `${schema.name}.${name}(${one.arguments.map((a) => `${a.name} => ${a.type}`).join(", ")})`;
  if (found.length > 1) {
    const message = `Could not choose the best candidate function between: ${found.map(shown).join(", ")}`;
    const hint = "Try renaming the parameters or the function itself in the database so function overloading can be resolved";
    throw new ApiError(300, "PGRST203", message, { hint });
  }
  const called = `${schema.name}.${name}${given.length ? `(${given.toSorted().join(", ")})` : ""}`;
  const message = `Could not find the function ${called} in the schema cache`;
  throw new ApiError(404, "PGRST202", message, { details: `Searched for the function ${called}, but no matches were found in the schema cache.` });
};

const swaggerType = (plain) => {
  if (plain.endsWith("[]")) return "array";
  if (["json", "jsonb"].includes(plain)) return null;
  if (plain === "boolean") return "boolean";
  if (["smallint", "integer", "bigint"].includes(plain)) return "integer";
  return ["numeric", "real", "double precision"].includes(plain) ? "number" : "string";
};

// A default is shown only where its expression, read as the type, is JSON: never for nextval(), '{}'::jsonb or arrays;
// and an identity or generated column has none.
const shownDefault = ({ plain, default: expression }) => {
  if (expression === null) return {};
  const text = swaggerType(plain) === "string" ? JSON.stringify(bare(expression, plain)) : expression;
  try {
    return { default: JSON.parse(text) };
  } catch {
    return {};
  }
};
const bare = (expression, plain) => {
  const suffix = `::${plain}`;
  return expression.endsWith(suffix) ? expression.slice(0, -suffix.length).replace(/^'+|'+$/g, "") : expression;
};

const property = (column) => ({
  ...shownDefault(column),
  ...(column.labels ? { enum: column.labels } : {}),
  ...(column.longest ? { maxLength: column.longest } : {}),
  format: column.type,
  ...(swaggerType(column.plain) ? { type: swaggerType(column.plain) } : {}),
  ...(column.main ? { description: "Note:\nThis is a Primary Key.<pk/>" } : {}),
});

// Return the API's description of itself (Swagger 2.0), as far as somebody reads it.
export const describe = (schema) => {
  const definitions = {};
  for (const [name, { columns }] of schema.tables) {
    const all = [...columns.values()];
    const required = all.filter((column) => column.required).map((column) => column.name);
    definitions[name] = {
      ...(required.length ? { required } : {}),
      properties: Object.fromEntries(all.map((column) => [column.name, property(column)])),
      type: "object",
    };
  }
  const info = { title: "standard public schema", description: "", version: "14.12" };
  return { swagger: "2.0", info, basePath: "/", definitions };
};
