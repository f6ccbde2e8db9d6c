-- Optional, after the lease: what is known of Message Batches under way, so that another machine can go on from here.
--
-- A batch lives at the provider for 29 days and has no name there. Who creates one writes it down beside the lease,
-- before and after. A machine that has nothing but the database and the API key then finds it, and pays for nothing
-- twice. `batches` maps the token of each batch to what is known of it; entries of over 30 days are dropped.
alter table public.seed_library_lease add column if not exists batches jsonb not null default '{}'::jsonb;

-- The batches that were noted for a target, by whoever held its lease.
create or replace function public.seed_library_batches(p_target text)
returns jsonb language sql volatile security invoker set search_path = '' as $$
  select coalesce((select l.batches from public.seed_library_lease l where l.target = p_target), '{}'::jsonb)
$$;

-- Note one batch, or what is new about it. False: the lease is somebody else's by now, and nothing was changed.
create or replace function public.seed_library_note_batch(
  p_target text, p_holder text, p_token bigint, p_batch text, p_note jsonb
) returns boolean language plpgsql volatile security invoker set search_path = '' as $$
begin
  if coalesce(p_batch, '') = '' or (p_note ->> 'intended_at')::timestamptz is null then
    raise exception 'a batch is noted with its token and time' using errcode = '22023';
  end if;
  update public.seed_library_lease l
     set batches = coalesce((select jsonb_object_agg(b.key, b.value) from jsonb_each(l.batches) b
                              where (b.value ->> 'intended_at')::timestamptz > clock_timestamp() - interval '30 days'),
                            '{}'::jsonb) || jsonb_build_object(p_batch, p_note)
   where l.target = p_target and l.holder = p_holder and l.token = p_token;
  return found;
end
$$;

revoke execute on function public.seed_library_batches(text) from public, anon, authenticated;
revoke execute on function public.seed_library_note_batch(text, text, bigint, text, jsonb)
  from public, anon, authenticated;
grant execute on function public.seed_library_batches(text) to service_role;
grant execute on function public.seed_library_note_batch(text, text, bigint, text, jsonb) to service_role;
