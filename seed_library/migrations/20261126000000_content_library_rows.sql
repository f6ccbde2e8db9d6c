-- Optional, with the lease: writing rows under its fence, and trying rows without writing them.
--
-- Every function is SECURITY INVOKER on purpose: it writes to whatever table it is told, so it must never have more
-- rights than its caller. Only the service role may call them.

-- What the table lacks for these columns, all at once: columns that are not there, NOT NULL columns that nobody
-- fills, privileges, and a unique index on the conflict columns ("deferrable": there is one that ON CONFLICT cannot use;
-- null: a view's is not seen). `types` says what the columns are that can be written; `relation` is false where there is no such table.
create or replace function public.seed_library_look(p_schema text, p_table text, p_conflict jsonb, p_columns jsonb)
returns jsonb language plpgsql stable security invoker set search_path = '' as $$
declare
  v_table regclass := to_regclass(format('%I.%I', p_schema, p_table));
  v_wanted text[] := array(select jsonb_array_elements_text(p_columns));
  v_conflict text[] := array(select jsonb_array_elements_text(p_conflict));
begin
  if v_table is null then
    return jsonb_build_object('relation', false);
  end if;
  return jsonb_build_object(
    'relation', true,
    'missing', (select coalesce(jsonb_agg(w.name), '[]'::jsonb) from unnest(v_wanted) as w(name)
                where not exists (select from pg_catalog.pg_attribute a where a.attrelid = v_table
                                  and a.attname = w.name and a.attnum > 0 and not a.attisdropped)),
    'types', (select coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}'::jsonb)
              from pg_catalog.pg_attribute a
              where a.attrelid = v_table and a.attname = any(v_wanted) and a.attnum > 0 and not a.attisdropped
                and a.attgenerated = ''),
    'unfilled', (select coalesce(jsonb_agg(a.attname order by a.attnum), '[]'::jsonb) from pg_catalog.pg_attribute a
                 where a.attrelid = v_table and a.attnum > 0 and not a.attisdropped and a.attnotnull
                   and not a.atthasdef and a.attidentity = '' and a.attname <> all(v_wanted)),
    'denied', (select coalesce(jsonb_agg(p.name), '[]'::jsonb)
               from unnest(array['select', 'insert', 'update']) as p(name)
               where not has_any_column_privilege(v_table, p.name)),
    'unique', case when (select c.relkind in ('r', 'p') from pg_catalog.pg_class c where c.oid = v_table) then
                (select coalesce(max(case when i.indimmediate then 'there' else 'deferrable' end), 'missing')
                 from pg_catalog.pg_index i
                 where i.indrelid = v_table and i.indisunique and i.indisvalid and i.indpred is null
                   and i.indexprs is null and i.indnkeyatts = cardinality(v_conflict)
                   and v_conflict @> array(select a.attname::text
                                           from unnest(i.indkey::int2[]) with ordinality as k(number, place)
                                           join pg_catalog.pg_attribute a
                                             on a.attrelid = v_table and a.attnum = k.number
                                           where k.place <= i.indnkeyatts)) end);
end
$$;

-- The statement that inserts or replaces the rows of $1 (a jsonb array of objects with the same keys) and returns the
-- keys of those that it wrote, as a jsonb array of arrays of text. With p_content (the columns that make a text) it
-- replaces a row only where that still has the content which $2 names for its key, or has the new one already; a row
-- that is not there is always inserted. A null and an empty text count as the same, as they do for who reads them.
create or replace function public.seed_library_statement(
  p_schema text, p_table text, p_conflict jsonb, p_columns text[], p_content jsonb
) returns text language plpgsql stable security invoker set search_path = '' as $$
declare
  v_names text;
  v_types text;
  v_changes text;
  v_missing text;
  v_conflict text;
  v_returned text;
  v_same_key text;
  v_unchanged text;
  v_new_already text;
  v_where text := '';
begin
  -- The table's own types, as the API uses them for a plain upsert.
  select string_agg(format('%I', c.name), ', '),
         string_agg(format('%I %s', c.name, format_type(a.atttypid, a.atttypmod)), ', '),
         string_agg(format('%I = excluded.%I', c.name, c.name), ', '),
         min(c.name) filter (where a.attname is null)
    into v_names, v_types, v_changes, v_missing
    from unnest(p_columns) as c(name)
    left join pg_catalog.pg_attribute a on a.attname = c.name and a.attnum > 0 and not a.attisdropped
         and a.attrelid = format('%I.%I', p_schema, p_table)::regclass;
  if v_missing is not null then
    raise exception 'column "%" of relation "%" does not exist', v_missing, p_table using errcode = '42703';
  end if;
  select string_agg(format('%I', k.name), ', '),
         string_agg(format('t.%I::text', k.name), ', '),
         string_agg(format('o.element ->> %L = t.%I::text', k.name, k.name), ' and ')
    into v_conflict, v_returned, v_same_key
    from jsonb_array_elements_text(p_conflict) as k(name);
  if p_content is not null then
    select string_agg(format('coalesce(o.element ->> %L, '''') = coalesce(t.%I::text, '''')', c.name, c.name), ' and '),
           string_agg(format('coalesce(excluded.%I::text, '''') = coalesce(t.%I::text, '''')', c.name, c.name), ' and ')
      into v_unchanged, v_new_already
      from jsonb_array_elements_text(p_content) as c(name);
    v_where := format(' where (%s) or exists (select from jsonb_array_elements($2) as o(element) where %s and %s)',
                      v_new_already, v_same_key, v_unchanged);
  end if;
  return format('with written as (insert into %I.%I as t (%s) select %s from jsonb_to_recordset($1) as r(%s)'
                ' on conflict (%s) do update set %s%s returning jsonb_build_array(%s) as key)'
                ' select coalesce(jsonb_agg(key), ''[]''::jsonb) from written',
                p_schema, p_table, v_names, v_names, v_types, v_conflict, v_changes, v_where, v_returned);
end
$$;

-- Insert or replace rows, if the lease is still the caller's: the fence. Rows are objects with the same keys; p_over
-- holds, for each row that is to be replaced, its key and its content as they were read, by column. Returns the keys of
-- the rows that were written; the others have been changed, or have appeared, since.
-- The lease is checked in the transaction that writes, and the lock on its row keeps a takeover waiting until the
-- write is done. So no row can arrive after a newer holder's first one.
drop function if exists public.seed_library_store(text, text, bigint, text, text, jsonb, jsonb);
create or replace function public.seed_library_store(
  p_target text, p_holder text, p_token bigint, p_schema text, p_table text, p_conflict jsonb, p_content jsonb,
  p_rows jsonb, p_over jsonb
) returns jsonb language plpgsql volatile security invoker set search_path = '' as $$
declare
  v_statement text;
  v_written jsonb;
begin
  perform 1 from public.seed_library_lease
   where target = p_target and holder = p_holder and token = p_token for share;
  if not found then
    raise exception 'the lease of % with token % is not held any more', p_target, p_token using errcode = 'PT409';
  end if;
  if jsonb_array_length(p_rows) = 0 then
    return '[]'::jsonb;
  end if;
  v_statement := public.seed_library_statement(
    p_schema, p_table, p_conflict, array(select jsonb_object_keys(p_rows -> 0)), p_content);
  -- The table's triggers find what they find behind a plain upsert. The empty path is back when this function ends.
  perform set_config('search_path', format('%I, public, extensions', p_schema), true);
  execute v_statement into v_written using p_rows, p_over;
  return v_written;
end
$$;

-- Write rows and take them back: whatever would refuse one of them speaks up, constraints that may wait among them, and
-- nothing stays. `refused` says of each row that is refused: its place, the SQLSTATE, the message, the table, column and
-- constraint that the database names, and where it came from. `keys` has the key of each row as the table gives it back,
-- as text; null where the row was refused or dropped. `together` is 21000 where two of the rows are one to the table.
-- All rows go together first, and one by one where that fails. Everything happens inside a block that always ends with
-- an error, which no trigger can catch: it is raised when all of them are through. Sequences do not go back (each try
-- uses up identity values), and a trigger that reaches out of the database is not undone.
create or replace function public.seed_library_rehearse(p_schema text, p_table text, p_conflict jsonb, p_rows jsonb)
returns jsonb language plpgsql volatile security invoker set search_path = '' as $$
declare
  v_statement text;
  v_row record;
  v_written jsonb;
  v_keys jsonb;
  v_refused jsonb := '[]'::jsonb;
  v_together text := '';
  v_state text;
  v_message text;
  v_schema text;
  v_table text;
  v_column text;
  v_constraint text;
  v_context text;
begin
  if jsonb_array_length(p_rows) = 0 then
    return jsonb_build_object('keys', '[]'::jsonb, 'refused', '[]'::jsonb, 'together', '');
  end if;
  v_statement := public.seed_library_statement(
    p_schema, p_table, p_conflict, array(select jsonb_object_keys(p_rows -> 0)), null);
  perform set_config('search_path', format('%I, public, extensions', p_schema), true);
  begin
    set constraints all immediate;
    begin
      execute v_statement into v_keys using p_rows;
    exception when others then
      get stacked diagnostics v_together = returned_sqlstate;
      v_keys := null;
    end;
    if v_keys is null or jsonb_array_length(v_keys) <> jsonb_array_length(p_rows) then
      v_keys := '[]'::jsonb;
      for v_row in select e.element, e.place from jsonb_array_elements(p_rows) with ordinality as e(element, place) loop
        v_written := null;
        begin
          execute v_statement into v_written using jsonb_build_array(v_row.element);
        exception when others then
          get stacked diagnostics v_state = returned_sqlstate, v_message = message_text, v_schema = schema_name,
            v_table = table_name, v_column = column_name, v_constraint = constraint_name,
            v_context = pg_exception_context;
          v_refused := v_refused || jsonb_build_object(
            'row', v_row.place - 1, 'state', v_state, 'message', left(v_message, 500), 'schema', v_schema,
            'table', v_table, 'column', v_column, 'constraint', v_constraint, 'context', left(v_context, 300));
        end;
        v_keys := v_keys || jsonb_build_array(coalesce(v_written -> 0, 'null'::jsonb));
      end loop;
    end if;
    raise exception 'taken back' using errcode = 'SL418';
  exception when sqlstate 'SL418' then
    null;  -- the block is rolled back
  end;
  return jsonb_build_object('keys', v_keys, 'refused', v_refused, 'together', v_together);
end
$$;

revoke execute on function public.seed_library_look(text, text, jsonb, jsonb) from public, anon, authenticated;
revoke execute on function public.seed_library_statement(text, text, jsonb, text[], jsonb)
  from public, anon, authenticated;
revoke execute on function public.seed_library_store(text, text, bigint, text, text, jsonb, jsonb, jsonb, jsonb)
  from public, anon, authenticated;
revoke execute on function public.seed_library_rehearse(text, text, jsonb, jsonb) from public, anon, authenticated;
grant execute on function public.seed_library_look(text, text, jsonb, jsonb) to service_role;
grant execute on function public.seed_library_statement(text, text, jsonb, text[], jsonb) to service_role;
grant execute on function public.seed_library_store(text, text, bigint, text, text, jsonb, jsonb, jsonb, jsonb)
  to service_role;
grant execute on function public.seed_library_rehearse(text, text, jsonb, jsonb) to service_role;
