-- The library: one text per category, key and locale.
create table if not exists public.content_library (
  id uuid primary key default gen_random_uuid(),
  category text not null,
  key text not null,
  locale text not null,
  title text not null,
  description text not null,
  created_at timestamptz default now(),
  updated_at timestamptz default now()
);

create unique index if not exists idx_content_library_lookup on public.content_library (category, key, locale);
create index if not exists idx_content_library_category on public.content_library (category);

alter table public.content_library enable row level security;

-- Signed-in users read; only the service role writes.
drop policy if exists content_library_select_authenticated on public.content_library;
create policy content_library_select_authenticated on public.content_library for select to authenticated using (true);
drop policy if exists content_library_insert_service on public.content_library;
create policy content_library_insert_service on public.content_library for insert to service_role with check (true);
drop policy if exists content_library_update_service on public.content_library;
create policy content_library_update_service on public.content_library for update to service_role using (true);
