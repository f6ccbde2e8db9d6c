// A Supabase project for one test session: a real Postgres database on a free port of 127.0.0.1, behind an API as strict
// as PostgREST 14 (postgrest.mjs) and, for keys and all the rest, Supabase's own lite server; with fault injection and a
// record of the requests. A request with the header x-answered-by: lite goes past the strict half, to compare the two.
//
// SEED_TEST_SERVER (JSON): database (postgres URL), publishable, secret (API keys), jwt (secret of the legacy keys),
//   sql (files, applied in order), warm ("schema.table" or null), schemas (exposed), max_rows (cap per answer).
// stdout: one JSON line when ready, then one JSON line per command that came on stdin.
// Commands, on stdin or as POST /__control:
//   {"sql": "select ..."}            run it as the owner of the database        -> {"rows": [...]}
//   {"faults": [...]}                replace all faults                          -> {"faults": n}
//   {"log": true, "clear": true}     requests so far                             -> {"log": [...]}
//   {"away_ms": n}                   the database is away for so long, and the API for as long as it takes to notice
//   {"timeouts": {role: ms}}         the statement_timeout of roles; 8 s for the service role, as in hosted projects
//   {"watch": [folders]}             note with each request how long the journals in these state folders are when
//                                    it arrives, and what it carries
// A fault: match ("POST /rest/v1/content_library", a prefix; with "$" at its end, the whole line), skip (let so many pass first), times (then hit so many),
//   delay_ms, dribble_ms (in pieces, over so long), trickle_ms (byte by byte, for ever), drop (cut the connection) or status + body + headers, after (true: only once the request was carried out),
//   sql (somebody else runs this as the owner when the request has arrived; the log says "done" or what it was refused with).
// The server ends when stdin closes, so it cannot outlive the tests, however they end.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync, readdirSync, statSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { ApiError } from "./errors.mjs";
import { PostgREST } from "./postgrest.mjs";

const CLOCK_SKEW = 30; // seconds, as PostgREST allows
const TIMEOUTS = { anon: 3000, authenticated: 8000, service_role: 8000 };
const RECONNECT_MS = 1000;
const LONGEST_RECONNECT_MS = 32_000;

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

// The role of a request, by its key and, where that is a signed token, by what it claims. null: an unknown key, which
// the gateway in front of the API refuses. The Authorization header of a client carries its key again, or a user's token.
const roleOf = (request) => {
  const key = request.headers.get("apikey") ?? "";
  const bearer = (request.headers.get("authorization") ?? "").replace(/^Bearer /i, "");
  const byKey = { [config.secret]: "service_role", [config.publishable]: "anon" }[key] ?? (isToken(key) ? claimsOf(key).role : null);
  if (!byKey) return null;
  return isToken(bearer) ? claimsOf(bearer).role ?? "anon" : byKey;
};
const isToken = (text) => text.split(".").length === 3;
const claimsOf = (token) => {
  const [head, payload, signature] = token.split(".");
  const expected = createHmac("sha256", config.jwt).update(`${head}.${payload}`).digest();
  const given = Buffer.from(signature, "base64url");
  if (given.length !== expected.length || !timingSafeEqual(given, expected))
    throw new ApiError(401, "PGRST301", "No suitable key or wrong key type");
  const claims = JSON.parse(Buffer.from(payload, "base64url").toString());
  const now = Date.now() / 1000;
  if (claims.exp !== undefined && claims.exp < now - CLOCK_SKEW) throw new ApiError(401, "PGRST303", "JWT expired");
  if (claims.nbf !== undefined && claims.nbf > now + CLOCK_SKEW) throw new ApiError(401, "PGRST303", "JWT not yet valid");
  return claims;
};

// After the database was away, PostgREST looks for it again at growing intervals: it stays away for longer than that.
let backAt = 0;
const wayBack = (away) => {
  let looks = 0;
  for (let wait = RECONNECT_MS; looks < away; wait = Math.min(2 * wait, LONGEST_RECONNECT_MS)) looks += wait;
  return looks;
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

const byLite = (request, env) => app.fetch(request, { peerAddress: env.incoming.socket.remoteAddress ?? null });
const perform = async (request, env) => {
  if (request.headers.get("x-answered-by") === "lite" || !new URL(request.url).pathname.startsWith("/rest/v1"))
    return byLite(request, env);
  if (Date.now() < backAt)
    return new ApiError(503, "PGRST002", "Could not query the database for the schema cache. Retrying.", { headers: { "retry-after": "0" } }).answer;
  let role;
  try {
    role = roleOf(request);
  } catch (error) {
    return error.answer;
  }
  const answer = role && (await postgrest.answer(request.clone(), role));
  return answer || byLite(request, env);
};

const command = async (asked) => {
  if (asked.sql !== undefined) return { rows: await runSql(asked.sql).finally(() => postgrest.reload()) };
  if (asked.away_ms !== undefined) backAt = Date.now() + wayBack(asked.away_ms);
  if (asked.timeouts !== undefined) Object.assign(postgrest.timeouts, asked.timeouts);
  if (asked.faults !== undefined) faults = asked.faults.map((fault) => ({ times: 1, skip: 0, ...fault }));
  if (asked.watch !== undefined) watched = asked.watch;
  const answer = { log, back_in_ms: Math.max(0, backAt - Date.now()), faults: faults.filter((fault) => fault.times > 0).length };
  if (asked.clear) log = [];
  return answer;
};
const obey = (text) =>
  Promise.resolve(text)
    .then((json) => command(JSON.parse(json)))
    .catch((error) => ({ error: String(error.message ?? error), code: error.code ?? null }));

// An answer that comes slowly: in some pieces, or byte by byte, and then its last one never does.
const PIECES = 5;
const trickling = async (response, { pause_ms, whole }) => {
  const bytes = new Uint8Array(await response.arrayBuffer());
  const size = whole ? Math.ceil(bytes.length / PIECES) || 1 : 1;
  let sent = 0;
  const body = new ReadableStream({
    async pull(controller) {
      await pause(pause_ms);
      if (whole && sent >= bytes.length) return controller.close();
      if (whole || sent < bytes.length - 1) controller.enqueue(bytes.slice(sent, (sent += size)));
    },
  });
  const headers = new Headers(response.headers);
  headers.delete("content-length");
  return new Response(body, { status: response.status, headers });
};

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
  if (fault?.sql) entry.meanwhile = await runSql(fault.sql).then(() => "done", (error) => error.code ?? String(error));
  const early = fault && !fault.after ? cannedAnswer(fault, env) : null;
  if (early) return early;
  const response = await perform(request, env);
  entry.status = response.status;
  if (fault?.trickle_ms) return trickling(response, { pause_ms: fault.trickle_ms, whole: false });
  if (fault?.dribble_ms) return trickling(response, { pause_ms: fault.dribble_ms / PIECES, whole: true });
  if (!fault?.after) return response;
  await response.arrayBuffer(); // the database has committed; now the answer gets lost or replaced
  return cannedAnswer(fault, env) ?? response;
};

await createRoles();
const postgrest = new PostgREST(config, { ...TIMEOUTS });
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
  postgrest.sql.end({ timeout: 0 }).catch(() => {});
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
