// The half of PostgREST 14 that decides about rows: reading, writing and deleting them, calling functions, and the
// description of all that. It follows PostgREST's source and what was seen of 14.12, since Lite guesses at types, trims
// and unquotes values, and reads no types from the database. Whatever is not answered here (null) is Lite's.
import postgres from "postgres";
import { ApiError, fromDatabase } from "./errors.mjs";
import { parseQuery } from "./grammar.mjs";
import { describe, functionOf, readSchema, tableOf } from "./schema.mjs";
import { identifier, literal, ordering, relation, rowsOf, selection, where, withDefaults } from "./sql.mjs";

const POOL = 10;
const JSON_TYPE = { "content-type": "application/json; charset=utf-8" };
const NOTHING_SET = "coalesce(nullif(current_setting('pgrst.inserted', true), '')::int, 0)";

export class PostgREST {
  // config: database (URL), schemas (exposed), max_rows. `timeouts`: milliseconds for each role.
  constructor({ database, schemas, max_rows: maxRows }, timeouts) {
    this.sql = postgres(database, { max: POOL, onnotice() {}, types: {}, connection: { TimeZone: "UTC" } });
    Object.assign(this, { schemas, maxRows, timeouts, cache: new Map() });
  }

  // Forget what is known of the schemas.
  reload() {
    this.cache.clear();
  }

  // Answer a request of a role; null where that is not for this half.
  async answer(request, role, claims = {}) {
    const url = new URL(request.url);
    const path = url.pathname.replace(/^\/rest\/v1\/?/, "").split("/").map(decodeURIComponent);
    try {
      return await this.route({ request, role, claims, path, search: url.search, prefer: preferences(request) });
    } catch (error) {
      return fromDatabase(error, role).answer;
    }
  }

  async route(asked) {
    const { request, path, role } = asked;
    const isCall = path[0] === "rpc" && path.length === 2;
    if (path.length > 1 && !isCall) throw new ApiError(404, "PGRST125", "Invalid path specified in request URL");
    const profile = request.headers.get(["GET", "HEAD"].includes(request.method) ? "accept-profile" : "content-profile");
    const schema = await this.schema(profile ?? this.schemas[0]);
    if (path[0] === "") return this.description(schema, role);
    if (isCall) return request.method === "POST" ? this.call(asked, schema, path[1]) : null;
    const by = { GET: "read", POST: "insert", PATCH: "update", DELETE: "remove" }[request.method];
    return by ? this[by](asked, tableOf(schema, path[0]), parseQuery(asked.search)) : null;
  }

  async schema(name) {
    if (!this.schemas.includes(name)) {
      const hint = `Only the following schemas are exposed: ${this.schemas.join(", ")}`;
      throw new ApiError(406, "PGRST106", `Invalid schema: ${name}`, { hint });
    }
    if (!this.cache.has(name)) this.cache.set(name, readSchema((text, values) => this.sql.unsafe(text, values), name));
    return this.cache.get(name);
  }

  description(schema, role) {
    if (role === "anon") throw new ApiError(403, "42501", "Access to schema is forbidden");
    const type = { "content-type": "application/openapi+json; charset=utf-8" };
    return new Response(JSON.stringify(describe(schema)), { status: 200, headers: type });
  }

  // Carry out one statement as the role, in a transaction with its limits. `after` is asked in the same transaction.
  async perform({ role, claims }, schema, text, values = []) {
    return this.sql.begin(async (transaction) => {
      const path = [...new Set([schema, "public", "extensions"])].map(identifier).join(", ");
      const settings = {
        role,
        search_path: path,
        statement_timeout: `${this.timeouts[role] ?? 0}ms`,
        "request.jwt.claims": JSON.stringify({ role, ...claims }),
      };
      const set = Object.entries(settings).map(([name, value]) => `set_config(${literal(name)}, ${literal(value)}, true)`);
      await transaction.unsafe(`select ${set.join(", ")}`);
      return transaction.unsafe(text, values);
    });
  }

  async read(asked, table, query) {
    const { select, filters, order, offset } = query;
    const limit = Math.min(query.limit ?? this.maxRows, this.maxRows);
    const from = ` from ${relation(table)}${where(table, filters)}`;
    const counted = asked.prefer.count === "exact" ? `(select count(*)::int${from})` : "null::int";
    const source = `select ${selection(table, select)}${from}${ordering(table, order)} limit ${limit} offset ${offset}`;
    const text = `select ${counted} as total, count(r)::int as page, coalesce(json_agg(r), '[]')::text as body
      from (${source}) r`;
    const [{ total, page, body }] = await this.perform(asked, table.schema, text);
    return ranged({ total, page, body, offset });
  }

  async insert(asked, table, query) {
    const { prefer } = asked;
    const body = await asked.request.text();
    const columns = query.columns ?? columnsOf(body);
    for (const name of columns) known(table, name);
    const names = columns.map(identifier).join(", ");
    const source = prefer.missing === "default" ? withDefaults(table, columns) : rowsOf(table, columns);
    // Counted as PostgREST does: up for each row that comes, down for each that replaces another one.
    const counting = `set_config('pgrst.inserted', (${NOTHING_SET} + 1)::text, true) <> '0'`;
    const returned = this.returning(table, query, prefer);
    const values = columns.length
      ? `(${names}) select ${columns.map((name) => `pgrst_body.${identifier(name)}`).join(", ")} from ${source} where ${counting}`
      : " default values";
    const statement = `insert into ${relation(table)}${values}${conflict(table, query, prefer, columns)}`;
    const written = await this.write(asked, table, `${statement} returning ${returned}`, columns.length ? [body] : []);
    const replaced = prefer.resolution === "merge-duplicates" && written.inserted === 0;
    return changed(prefer, written, replaced ? 200 : 201, "");
  }

  async update(asked, table, query) {
    const body = await asked.request.text();
    const columns = query.columns ?? columnsOf(body);
    for (const name of columns) known(table, name);
    if (!columns.length) return changed(asked.prefer, { page: 0, body: "[]" }, 204, "*/*");
    const set = columns.map((name) => `${identifier(name)} = pgrst_body.${identifier(name)}`).join(", ");
    const text = `update ${relation(table)} set ${set} from (select * from ${rowsOf(table, columns)} limit 1) pgrst_body
      ${where(table, query.filters)} returning ${this.returning(table, query, asked.prefer)}`;
    const written = await this.write(asked, table, text, [body]);
    return changed(asked.prefer, written, 204, `0-${written.page - 1}`);
  }

  async remove(asked, table, query) {
    const text = `delete from ${relation(table)}${where(table, query.filters)}
      returning ${this.returning(table, query, asked.prefer)}`;
    return changed(asked.prefer, await this.write(asked, table, text), 204, "*");
  }

  returning(table, { select }, { return: wanted }) {
    return wanted === "representation" ? selection(table, select) : "1";
  }

  async write(asked, table, statement, values = []) {
    const text = `with pgrst_source as (${statement})
      select count(r)::int as page, coalesce(json_agg(r), '[]')::text as body,
             nullif(current_setting('pgrst.inserted', true), '')::int as inserted
      from (select * from pgrst_source) r`;
    const [written] = await this.perform(asked, table.schema, text, values);
    return written;
  }

  async call(asked, schema, name) {
    const body = (await asked.request.text()) || "{}";
    const given = columnsOf(body);
    const found = functionOf(schema, name, given);
    const used = found.arguments.filter((argument) => given.includes(argument.name));
    const typed = used.map(({ name: argument, type }) => `${identifier(argument)} ${type}`).join(", ");
    const passed = used.map(({ name: argument }) => `${identifier(argument)} := pgrst_body.${identifier(argument)}`);
    const called = `${identifier(schema.name)}.${identifier(name)}(${passed.join(", ")})`;
    const source = used.length ? ` from json_to_record($1::text::json) as pgrst_body(${typed})` : "";
    const rows = found.composite ? `select (pgrst_call).* from (select ${called} as pgrst_call${source}) c` : `select ${called} as value${source}`;
    const value = found.composite ? "r" : "r.value";
    const shown = found.set ? `coalesce(json_agg(${value}), '[]')` : `coalesce(json_agg(${value}) -> 0, 'null')`;
    const text = `select ${shown}::text as body from (${rows}) r`;
    const [answer] = await this.perform(asked, schema.name, text, used.length ? [body] : []);
    if (found.empty) return new Response(null, { status: 204 });
    return new Response(answer.body, { status: 200, headers: { ...JSON_TYPE } });
  }
}

const preferences = (request) => {
  const said = (request.headers.get("prefer") ?? "").split(",").map((part) => part.trim().split("="));
  return Object.fromEntries(said.filter(([name]) => name));
};

const known = (table, name) => {
  if (table.columns.has(name)) return;
  throw new ApiError(400, "PGRST204", `Could not find the '${name}' column of '${table.name}' in the schema cache`);
};

// The columns that a body fills: the same ones in each of its objects, or it is refused.
const columnsOf = (body) => {
  let value;
  try {
    value = JSON.parse(body);
  } catch {
    throw new ApiError(400, "PGRST102", "Empty or invalid json");
  }
  const objects = Array.isArray(value) ? value : [value];
  if (!objects.length) return [];
  const columns = Object.keys(objects[0] ?? {});
  const same = (one) => Object.keys(one).length === columns.length && columns.every((name) => name in one);
  if (!objects.every(same)) throw new ApiError(400, "PGRST102", "All object keys must match");
  return columns;
};

const conflict = (table, query, prefer, columns) => {
  if (!prefer.resolution) return "";
  const main = [...table.columns.values()].filter((column) => column.main).map((column) => column.name);
  const target = query.onConflict ?? main;
  if (!target.length) return "";
  const on = ` on conflict (${target.map(identifier).join(", ")})`;
  if (prefer.resolution === "ignore-duplicates") return `${on} do nothing`;
  const set = columns.map((name) => `${identifier(name)} = excluded.${identifier(name)}`).join(", ");
  const counting = `set_config('pgrst.inserted', (${NOTHING_SET} - 1)::text, true) <> '-1'`;
  return `${on} do update set ${set} where ${counting}`;
};

const ranged = ({ total, page, body, offset }) => {
  const shown = page ? `${offset}-${offset + page - 1}` : "*";
  if (total !== null && offset > 0 && offset >= total) {
    const details = `An offset of ${offset} was requested, but there are only ${total} rows.`;
    const headers = { "content-range": `*/${total}` };
    throw new ApiError(416, "PGRST103", "Requested range not satisfiable", { details, headers });
  }
  const headers = { ...JSON_TYPE, "content-range": `${shown}/${total ?? "*"}` };
  return new Response(body, { status: total !== null && page < total ? 206 : 200, headers });
};

const changed = (prefer, { page, body }, status, range) => {
  const counted = prefer.count === "exact" ? page : "*";
  const headers = range ? { "content-range": `${page ? range : "*"}/${counted}` } : { "content-range": `*/${counted}` };
  if (prefer.return === "representation") {
    return new Response(body, { status: status === 204 ? 200 : status, headers: { ...JSON_TYPE, ...headers } });
  }
  return new Response(null, { status, headers });
};
