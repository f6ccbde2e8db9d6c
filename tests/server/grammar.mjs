// PostgREST's grammar of query strings, as its source has it (ApiRequest/QueryParams): what a blank, a quotation mark or
// a parenthesis means there is what decides which row a filter meets. Values stay text; the database reads them.
import { ApiError } from "./errors.mjs";

const RESERVED = new Set(["select", "columns", "on_conflict", "apikey"]);
const EMBEDDABLE = new Set(["order", "limit", "offset", "and", "or"]);
const SIMPLE = { eq: "=", neq: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=", cs: "@>", cd: "<@", ov: "&&" };
const PATTERNS = { like: "like", ilike: "ilike" };
const IS = { null: "null", not_null: "not null", true: "true", false: "false", unknown: "unknown" };

// A cursor over a text; every method takes what it names, or fails as PostgREST does.
class Cursor {
  constructor(text, what) {
    Object.assign(this, { text, what, place: 0 });
  }
  get rest() {
    return this.text.slice(this.place);
  }
  get done() {
    return this.place >= this.text.length;
  }
  fail() {
    const column = this.place + 1;
    throw new ApiError(400, "PGRST100", `"failed to parse ${this.what} (${this.text})" (line 1, column ${column})`);
  }
  takes(word) {
    if (!this.rest.startsWith(word)) return false;
    this.place += word.length;
    return true;
  }
  need(word) {
    if (!this.takes(word)) this.fail();
  }
  match(pattern) {
    const found = this.rest.match(pattern);
    if (!found) return null;
    this.place += found[0].length;
    return found;
  }
  blanks() {
    this.match(/^\s*/);
  }
  // A quoted value counts as one only where nothing but a comma or the end follows it; else the marks are part of it.
  element() {
    const quoted = this.rest.match(/^"((?:[^"\\]|\\[^])*)"(?=[,)]|$)/);
    if (!quoted) return this.match(/^[^,)]*/)[0];
    this.place += quoted[0].length;
    return quoted[1].replace(/\\([^])/g, "$1");
  }
  list() {
    this.need("(");
    this.blanks();
    const elements = [this.element()];
    while (this.takes(",")) {
      this.blanks();
      elements.push(this.element());
    }
    this.need(")");
    this.blanks();
    return elements;
  }
  name() {
    const quoted = this.match(/^"((?:[^"\\]|\\[^])*)"/);
    if (quoted) return quoted[1].replace(/\\([^])/g, "$1");
    const plain = this.match(/^[\p{L}\p{N}_ $]+(?:-(?!>)[\p{L}\p{N}_ $]+)*/u);
    return plain ? plain[0].trim() : this.fail();
  }
  // A column, or a path into it: column->key->>key.
  field() {
    const column = this.name();
    const path = [];
    for (let arrow = this.match(/^->>?/); arrow; arrow = this.match(/^->>?/)) {
      const key = this.match(/^[\p{L}\p{N}_@$-]+/u) ?? this.fail();
      path.push({ arrow: arrow[0], key: key[0] });
    }
    return { column, path };
  }
}

// The operator and its values; a single value goes to the end of the text, outside of a logic tree.
const condition = (cursor, inTree) => {
  const negated = cursor.takes("not.");
  const [, operator] = cursor.match(/^([a-z]+)\./) ?? cursor.fail();
  if (operator === "in") return { negated, operator, values: cursor.list() };
  if (operator === "is") {
    const word = cursor.match(/^(not_null|null|true|false|unknown)/i) ?? cursor.fail();
    return { negated, operator, word: IS[word[0].toLowerCase()] };
  }
  if (!(operator in SIMPLE) && !(operator in PATTERNS)) cursor.fail();
  if (!inTree) {
    const value = cursor.rest;
    cursor.place = cursor.text.length;
    return { negated, operator, value };
  }
  const array = cursor.match(/^\{[^{}]*\}/);
  return { negated, operator, value: array ? array[0] : cursor.element() };
};

const tree = (cursor, joint) => {
  cursor.need("(");
  cursor.blanks();
  const parts = [];
  do {
    cursor.blanks();
    const [all, negated, inner] = cursor.match(/^(not\.)?(and|or)(?=\()/) ?? [];
    parts.push(
      all
        ? { negated: Boolean(negated), ...tree(cursor, inner) }
        : { field: treeField(cursor), ...condition(cursor, true) },
    );
    cursor.blanks();
  } while (cursor.takes(","));
  cursor.need(")");
  return { joint, parts };
};
const treeField = (cursor) => {
  const field = cursor.field();
  cursor.need(".");
  return field;
};

const whole = (cursor, read) => {
  const value = read(cursor);
  if (!cursor.done) cursor.fail();
  return value;
};

const filterOf = ([key, value]) => {
  const field = whole(new Cursor(key, "tree path"), (cursor) => cursor.field());
  return { field, ...whole(new Cursor(value, "filter"), (cursor) => condition(cursor, false)) };
};

const logicOf = ([key, value]) => {
  const joint = key.endsWith("and") ? "and" : "or";
  const read = (cursor) => tree(cursor, joint);
  return { negated: key.startsWith("not."), ...whole(new Cursor(value, "logic tree"), read) };
};

const selected = (text) => {
  const cursor = new Cursor(text, "select parameter");
  const items = [];
  do {
    cursor.blanks();
    if (cursor.takes("*")) {
      items.push({ star: true });
      continue;
    }
    const alias = cursor.match(/^("(?:[^"\\]|\\[^])*"|[\p{L}\p{N}_ $-]+?):(?!:)/u);
    const field = cursor.field();
    const cast = cursor.takes("::") ? cursor.match(/^[a-zA-Z_ ]+/)?.[0].trim() ?? cursor.fail() : null;
    items.push({ ...field, cast, alias: alias && new Cursor(alias[1], "alias").name() });
    cursor.blanks();
  } while (cursor.takes(","));
  if (!cursor.done) cursor.fail();
  return items;
};

const ordered = (text) => {
  const cursor = new Cursor(text, "order");
  const terms = [];
  do {
    cursor.blanks();
    const field = cursor.field();
    const direction = cursor.match(/^\.(asc|desc)(?![a-z])/)?.[1] ?? "asc";
    const nulls = cursor.match(/^\.nulls(first|last)(?![a-z])/)?.[1];
    terms.push({ ...field, direction, nulls });
    cursor.blanks();
  } while (cursor.takes(","));
  if (!cursor.done) cursor.fail();
  return terms;
};

const names = (text) => {
  const cursor = new Cursor(text, "columns parameter");
  const found = [];
  do {
    cursor.blanks();
    found.push(cursor.name());
  } while (cursor.takes(","));
  if (!cursor.done) cursor.fail();
  return found;
};

const wholeNumber = (text) => (text !== null && /^-?\d+$/.test(text) ? Number(text) : null);
const lastWord = (key) => key.split(".").at(-1);

// Return what a query string asks for.
export const parseQuery = (search) => {
  const pairs = [...new URLSearchParams(search)];
  const first = (name) => pairs.find(([key]) => key === name)?.[1] ?? null;
  const isFilter = ([key]) => !RESERVED.has(key) && !EMBEDDABLE.has(lastWord(key));
  const isLogic = ([key]) => ["and", "or"].includes(lastWord(key));
  return {
    select: selected(first("select") || "*"),
    filters: [...pairs.filter(isFilter).map(filterOf), ...pairs.filter(isLogic).map(logicOf)],
    order: first("order") ? ordered(first("order")) : [],
    limit: wholeNumber(first("limit")),
    offset: wholeNumber(first("offset")) ?? 0,
    columns: first("columns") === null ? null : names(first("columns")),
    onConflict: first("on_conflict") === null ? null : names(first("on_conflict")),
  };
};

export { PATTERNS, SIMPLE };
