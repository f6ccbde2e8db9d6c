-- A default applies to inserts only; an update must move updated_at by itself, but not when nothing changed.
create or replace function public.content_library_touch() returns trigger language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  return new;
end
$$;

drop trigger if exists content_library_touch on public.content_library;
create trigger content_library_touch before update on public.content_library
  for each row when (old.* is distinct from new.*) execute function public.content_library_touch();
