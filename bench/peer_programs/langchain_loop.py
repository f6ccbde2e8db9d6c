"""LangChain: `ChatAnthropic.abatch` with its SQLite cache, which is how it resumes. BODIES CONCURRENCY FOLDER."""

import asyncio
import json
import sys
from pathlib import Path

from langchain_anthropic import ChatAnthropic
from langchain_community.cache import SQLiteCache
from langchain_core.globals import set_llm_cache


def main() -> None:
    bodies = json.loads(Path(sys.argv[1]).read_text())
    set_llm_cache(SQLiteCache(database_path=str(Path(sys.argv[3]) / "cache.sqlite")))
    model = ChatAnthropic(model_name=bodies[0]["model"], max_tokens=bodies[0]["max_tokens"], max_retries=8, stop=None)
    prompts = [[("system", system_of(body)), ("user", body["messages"][-1]["content"])] for body in bodies]
    answers = asyncio.run(model.abatch(prompts, {"max_concurrency": int(sys.argv[2])}, return_exceptions=True))
    print(sum(not isinstance(answer, BaseException) and bool(answer.text) for answer in answers))


def system_of(body: dict) -> str:
    system = body["system"]
    return system if isinstance(system, str) else "".join(block["text"] for block in system)


main()
