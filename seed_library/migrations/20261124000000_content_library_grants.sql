-- Since 2026 new tables are granted to no API role by themselves, not even to the service role.
grant usage on schema public to service_role, authenticated;
grant select, insert, update on table public.content_library to service_role;
grant select on table public.content_library to authenticated;
