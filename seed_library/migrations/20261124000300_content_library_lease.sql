-- Optional: the lease, which keeps two machines from seeding the same table at the same time.
--
-- One row per target. `token` grows with every new grant and never shrinks: it is the number that a write must show.
-- All times are the database's own (clock_timestamp), so the clocks of the machines do not matter.
--
-- Every function is SECURITY INVOKER on purpose. They could be definer functions, but then one careless
-- "grant execute on all functions" would be enough for a stranger to break a lease; as invoker functions they still
-- meet the table below, which only the service role may touch. That role could change the table without them, too;
-- it can do everything anyway. The functions keep honest programs apart; they do not guard against the owner's key.
create table if not exists public.seed_library_lease (
  target text primary key,
  token bigint not null default 0,
  holder text,
  acquired_at timestamptz,
  expires_at timestamptz,
  info jsonb not null default '{}'::jsonb
);

alter table public.seed_library_lease enable row level security;
revoke all on table public.seed_library_lease from public, anon, authenticated;
grant usage on schema public to service_role;
grant select, insert, update on table public.seed_library_lease to service_role;

-- Who holds the lease of a target, if anybody does. A lease that ran out is held by nobody.
create or replace function public.seed_library_peek(p_target text)
returns jsonb language sql volatile security invoker set search_path = '' as $$
  select coalesce(
    (select jsonb_build_object(
       'held', l.holder is not null and l.expires_at > clock_timestamp(),
       'token', l.token, 'holder', l.holder, 'acquired_at', l.acquired_at, 'info', l.info,
       'seconds_left', extract(epoch from l.expires_at - clock_timestamp()))
     from public.seed_library_lease l where l.target = p_target),
    jsonb_build_object('held', false, 'token', 0))
$$;

-- Take the lease if it is free or has run out. `granted` says whether that worked; the rest is as seed_library_peek.
-- The same holder asking again while its lease lives gets the same token: an answer that got lost does no harm.
create or replace function public.seed_library_acquire(p_target text, p_holder text, p_seconds float8, p_info jsonb)
returns jsonb language plpgsql volatile security invoker set search_path = '' as $$
declare
  v_lease public.seed_library_lease;
  v_now timestamptz;
begin
  if p_seconds is null or p_seconds <= 0 or p_seconds > 3600 or coalesce(p_holder, '') = '' then
    raise exception 'a lease needs a holder and between 0 and 3600 seconds' using errcode = '22023';
  end if;
  insert into public.seed_library_lease (target) values (p_target) on conflict (target) do nothing;
  select * into strict v_lease from public.seed_library_lease where target = p_target for update;
  v_now := clock_timestamp();  -- read after the wait for the row
  if v_lease.holder is not null and v_lease.expires_at > v_now then
    if v_lease.holder <> p_holder then
      return public.seed_library_peek(p_target) || jsonb_build_object('granted', false);
    end if;
  else
    v_lease.token := v_lease.token + 1;
    v_lease.acquired_at := v_now;
  end if;
  update public.seed_library_lease
     set token = v_lease.token, holder = p_holder, acquired_at = v_lease.acquired_at,
         expires_at = v_now + make_interval(secs => p_seconds), info = coalesce(p_info, '{}'::jsonb)
   where target = p_target;
  return public.seed_library_peek(p_target) || jsonb_build_object('granted', true);
end
$$;

-- Prolong the lease. Also when it has run out, as long as nobody has taken it over. False: it is somebody else's.
create or replace function public.seed_library_renew(p_target text, p_holder text, p_token bigint, p_seconds float8)
returns boolean language plpgsql volatile security invoker set search_path = '' as $$
begin
  update public.seed_library_lease set expires_at = clock_timestamp() + make_interval(secs => p_seconds)
   where target = p_target and holder = p_holder and token = p_token;
  return found;
end
$$;

-- Give the lease back. It is free at once; the token stays, so that the next grant is higher.
create or replace function public.seed_library_release(p_target text, p_holder text, p_token bigint)
returns boolean language plpgsql volatile security invoker set search_path = '' as $$
begin
  update public.seed_library_lease set holder = null, expires_at = null
   where target = p_target and holder = p_holder and token = p_token;
  return found;
end
$$;

-- Take the lease away from its holder, whoever that is, by naming the token that was seen. Nobody else's is touched.
create or replace function public.seed_library_break(p_target text, p_token bigint)
returns boolean language plpgsql volatile security invoker set search_path = '' as $$
begin
  update public.seed_library_lease set holder = null, expires_at = null
   where target = p_target and token = p_token and holder is not null;
  return found;
end
$$;

revoke execute on function public.seed_library_peek(text) from public, anon, authenticated;
revoke execute on function public.seed_library_acquire(text, text, float8, jsonb) from public, anon, authenticated;
revoke execute on function public.seed_library_renew(text, text, bigint, float8) from public, anon, authenticated;
revoke execute on function public.seed_library_release(text, text, bigint) from public, anon, authenticated;
revoke execute on function public.seed_library_break(text, bigint) from public, anon, authenticated;
grant execute on function public.seed_library_peek(text) to service_role;
grant execute on function public.seed_library_acquire(text, text, float8, jsonb) to service_role;
grant execute on function public.seed_library_renew(text, text, bigint, float8) to service_role;
grant execute on function public.seed_library_release(text, text, bigint) to service_role;
grant execute on function public.seed_library_break(text, bigint) to service_role;
