// Errors of PostgREST, and the HTTP status that it gives to each error of the database (its Error.hs).

export class ApiError extends Error {
  constructor(status, code, message, { details = null, hint = null, headers = {} } = {}) {
    super(message);
    Object.assign(this, { status, code, details, hint, headers });
  }
  get answer() {
    const { code, message, details, hint } = this;
    const headers = { "content-type": "application/json; charset=utf-8", "proxy-status": `PostgREST; error=${code}` };
    const body = JSON.stringify({ code, details, hint, message });
    return new Response(body, { status: this.status, headers: { ...headers, ...this.headers } });
  }
}

const BY_CODE = {
  21000: 500, 23503: 409, 23505: 409, 25006: 405, 42883: 404, "42P01": 404, "42P17": 500, 53400: 500, "57P01": 503,
  P0001: 400,
};
const BY_CLASS = {
  "08": 503, "09": 500, "0L": 403, "0P": 403, 25: 500, 28: 403, "2D": 500, 38: 500, 39: 500, "3B": 500, 40: 500,
  53: 503, 54: 500, 55: 500, 57: 500, 58: 500, F0: 500, HV: 500, P0: 500, XX: 500,
};

const statusOf = ({ code, message }, role) => {
  if (/^PT\d\d\d$/.test(code)) return Number(code.slice(2)); // an error that names its own
  if (code === "42501") return role === "anon" ? 401 : 403;
  if (code === "22023" && /^role "/.test(message)) return 401;
  return BY_CODE[code] ?? BY_CLASS[code.slice(0, 2)] ?? 400;
};

// Return an error of the database, or of the way to it, as PostgREST passes it on.
export const fromDatabase = (error, role) => {
  if (error instanceof ApiError) return error;
  if (!/^[0-9A-Z]{5}$/.test(error.code ?? "")) {
    return new ApiError(503, "PGRST001", "Database client error. Retrying the connection.", {
      details: String(error.message),
    });
  }
  const said = { details: error.detail ?? null, hint: error.hint ?? null };
  return new ApiError(statusOf(error, role), error.code, error.message, said);
};
