-- Optional: where each text comes from (model, fingerprint of its prompt, run, tokens, cost). With it a changed
-- prompt is recognised from the table alone, on any machine.
alter table public.content_library add column if not exists provenance jsonb;
