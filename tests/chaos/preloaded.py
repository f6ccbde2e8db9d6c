"""What the server of `starting` imports and compiles before it forks, so that no child has to: a second of CPU each."""

from __future__ import annotations

import asyncio
import gc
from pathlib import Path

import anthropic
import httpcore
import httpx
import httpx2
import rich.console
import supabase

import seed_library.cli.failures
import seed_library.cli.run
from seed_library.adapters.catalogs import load_catalog
from seed_library.bootstrap import running

PROMPTS = Path(__file__).resolve().parents[2] / "prompts"
MODULES = (anthropic, httpcore, httpx, httpx2, rich.console, supabase, seed_library.cli, running)


async def _use_vendors() -> None:
    """Make clients once, which imports what they import late."""
    async with anthropic.AsyncAnthropic(api_key="sk-ant-test-not-a-real-key") as client:
        assert client.messages is not None
    async with httpx.AsyncClient() as http:
        assert http.timeout is not None


load_catalog(PROMPTS, "bazi_pillars")  # compiles the patterns of its gates, which the package regex remembers
asyncio.run(_use_vendors())
gc.freeze()
