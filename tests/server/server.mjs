// A Supabase project for one test session: Supabase's own lite server over a real Postgres database, on a free
// port of 127.0.0.1, with fault injection and a record of the requests.
//
// SEED_TEST_SERVER (JSON): database (postgres URL), publishable, secret (API keys), jwt (secret of the legacy keys),
//   sql (files, applied in order), warm ("schema.table" or null), schemas (exposed), max_rows (cap per answer).
// stdout: one JSON line when ready, then one JSON line per command that came on stdin.
// Commands, on stdin or as POST /__control:
//   {"sql": "select ..."}            run it as the owner of the database        -> {"rows": [...]}
//   {"faults": [...]}                replace all faults                          -> {"faults": n}
//   {"log": true, "clear": true}     requests so far                             -> {"log": [...]}
//   {"watch": [folders]}             note with each request how long the journals in these state folders are when
//                                    it arrives, and what it carries
// A fault: match ("POST /rest/v1/content_library", a prefix; with "$" at its end, the whole line), skip (let so many pass first), times (then hit so many),
//   delay_ms, drop (cut the connection) or status + body + headers, after (true: only once the request was carried out).
// The server ends when stdin closes, so it cannot outlive the tests, however they end.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import postgres from "postgres";

const config = JSON.parse(process.env.SEED_TEST_SERVER);
const connection = createPostgresConnection({ url: config.database, postgresOptions: { onnotice() {} } });
const runSql = async (text) => [...(await connection.driver.unsafe(text))];

const ROLES = { anon: "nologin", authenticated: "nologin", service_role: "nologin bypassrls" };
const createRoles = async () => {
  for (const [role, attributes] of Object.entries(ROLES))
    await runSql(`do $$ begin create role ${role} ${attributes}; exception when duplicate_object or unique_violation then null; end $$`);
};

// Lite grants everything to every API role as soon as it sees a table. A hosted project grants nothing any more
// (2026), so that is taken back and only what the migrations grant is granted again.
const restoreGrants = async (files) => {
  for (const schema of config.schemas)
    await runSql(`revoke all on all tables in schema ${schema} from anon, authenticated, service_role`);
  for (const text of files)
    for (const [, statement] of text.replace(/--.*$/gm, "").matchAll(/(?:^|;)\s*((?:grant|revoke)\b[^;]*)(?=;)/gi))
      await runSql(statement);
};

// Hosted projects still accept the legacy keys, which are signed tokens that carry the role; Lite does not.
const keyOfLegacyToken = (token) => {
  const parts = token.split(".");
  if (parts.length !== 3) return token;
  const expected = createHmac("sha256", config.jwt).update(`${parts[0]}.${parts[1]}`).digest();
  const given = Buffer.from(parts[2], "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return token;
  const { role, exp } = JSON.parse(Buffer.from(parts[1], "base64url").toString());
  if (exp !== undefined && exp * 1000 < Date.now()) return token;
  return { service_role: config.secret, anon: config.publishable }[role] ?? token;
};

const withOpaqueKey = (request) => {
  const given = request.headers.get("apikey") ?? "";
  const key = keyOfLegacyToken(given);
  if (key === given) return request;
  const headers = new Headers(request.headers);
  headers.set("apikey", key);
  headers.set("authorization", `Bearer ${key}`);
  return new Request(request, { headers });
};

// PostgREST passes every error of the database on, with a status that depends on its code. Lite knows some of them
// and turns the others (a CHECK, a trigger's own exception, a cancelled statement) into a string without their code.
const MARK = "database error ";
postgres.PostgresError.prototype.toString = function () {
  const { code, message, detail = null, hint = null } = this;
  return MARK + JSON.stringify({ code, message, details: detail, hint });
};
const STATUSES = { 21000: 500, 23503: 409, 23505: 409, 25006: 405, P0001: 400, 53400: 500, "57P01": 503 };
const chosenStatus = (code) => (/^PT[45]\d\d$/.test(code) ? Number(code.slice(2)) : null); // an error that names its own
const CLASS_STATUSES = { "08": 503, 25: 500, 28: 403, 38: 500, 40: 500, 53: 503, 54: 413, 55: 500, 57: 500, 58: 500, P0: 500, XX: 500 };

const asPostgrest = async (response) => {
  if (response.status !== 400 && response.status !== 500) return response;
  const text = await response.text();
  let body = text.startsWith("{") ? JSON.parse(text) : {};
  if (body.code === "SUP" && body.message.startsWith(MARK)) body = JSON.parse(body.message.slice(MARK.length));
  else if (body.code !== "21000") return new Response(text, { status: response.status, headers: response.headers });
  const status = chosenStatus(body.code) ?? STATUSES[body.code] ?? CLASS_STATUSES[body.code.slice(0, 2)] ?? 400;
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(JSON.stringify(body), { status, headers });
};

let faults = [];
let log = [];
let watched = [];

const journalSize = (folder) => {
  try {
    const targets = readdirSync(`${folder}/targets`);
    return targets.reduce((sum, name) => sum + statSync(`${folder}/targets/${name}/journal.jsonl`).size, 0);
  } catch {
    return 0; // nothing there yet
  }
};

const meant = (line, match) => (match.endsWith("$") ? line === match.slice(0, -1) : line.startsWith(match));

const takeFault = (line) => {
  const fault = faults.find((one) => meant(line, one.match) && (one.skip > 0 ? one.skip-- < 0 : one.times > 0));
  if (fault) fault.times -= 1;
  return fault;
};

const cannedAnswer = (fault, env) => {
  if (fault.drop) env.incoming.socket.destroy();
  else if (!fault.status) return null;
  return new Response(fault.body ?? "", { status: fault.status ?? 500, headers: fault.headers ?? {} });
};

const perform = (request, env) =>
  app.fetch(withOpaqueKey(request), { peerAddress: env.incoming.socket.remoteAddress ?? null }).then(asPostgrest);

const command = async (asked) => {
  if (asked.sql !== undefined) return { rows: await runSql(asked.sql) };
  if (asked.faults !== undefined) faults = asked.faults.map((fault) => ({ times: 1, skip: 0, ...fault }));
  if (asked.watch !== undefined) watched = asked.watch;
  const answer = { log, faults: faults.filter((fault) => fault.times > 0).length };
  if (asked.clear) log = [];
  return answer;
};
const obey = (text) =>
  Promise.resolve(text)
    .then((json) => command(JSON.parse(json)))
    .catch((error) => ({ error: String(error.message ?? error), code: error.code ?? null }));

const handle = async (request, env) => {
  const url = new URL(request.url);
  if (url.pathname === "/__control") return Response.json(await obey(await request.text()));
  const line = `${request.method} ${url.pathname}`;
  const entry = { line, query: url.search.slice(1), prefer: request.headers.get("prefer"), status: null };
  if (watched.length > 0) {
    entry.journals = watched.map(journalSize);
    if (request.method === "POST") entry.body = await request.clone().text();
  }
  log.push(entry);
  const fault = takeFault(line);
  if (fault?.delay_ms) await pause(fault.delay_ms);
  const early = fault && !fault.after ? cannedAnswer(fault, env) : null;
  if (early) return early;
  const response = await perform(request, env);
  entry.status = response.status;
  if (!fault?.after) return response;
  await response.arrayBuffer(); // the database has committed; now the answer gets lost or replaced
  return cannedAnswer(fault, env) ?? response;
};

await createRoles();
const files = config.sql.map((file) => readFileSync(file, "utf8"));
for (const text of files) await runSql(text);
const app = new App({
  connection,
  api: { schemas: config.schemas, max_rows: config.max_rows },
  auth: { enabled: true, jwt_secret: config.jwt, publishable_key: config.publishable, secret_key: config.secret },
  options: { server: { admin: false } },
});
if (config.warm) {
  const [schema, table] = config.warm.split(".");
  const headers = { apikey: config.secret, "Accept-Profile": schema };
  const probe = new Request(`http://127.0.0.1/rest/v1/${table}?limit=1`, { headers });
  await app.fetch(probe, { peerAddress: "127.0.0.1" });
}
await restoreGrants(files);

const server = serve({ port: 0, hostname: "127.0.0.1", fetch: handle }, ({ port }) =>
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}` })),
);
const stop = async () => {
  server.close();
  server.closeAllConnections();
  await Promise.race([connection.close().catch(() => {}), pause(1000)]);
  process.exit(0);
};
process.on("SIGTERM", stop);
const input = createInterface({ input: process.stdin });
let turn = Promise.resolve();
input.on("line", (text) => {
  turn = turn.then(() => obey(text)).then((answer) => console.log(JSON.stringify(answer)));
});
input.on("close", stop);
