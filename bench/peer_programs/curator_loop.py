"""Bespoke Curator, with the working folder in which it resumes. BODIES CONCURRENCY FOLDER."""

import json
import os
import sys
from pathlib import Path

from bespokelabs import curator


class Texts(curator.LLM):
    def prompt(self, row: dict) -> list[dict]:
        return [{"role": "system", "content": row["system"]}, {"role": "user", "content": row["user"]}]

    def parse(self, row: dict, answer: str) -> dict:
        return {"text": answer}


def main() -> None:
    bodies = json.loads(Path(sys.argv[1]).read_text())
    limits = {"max_requests_per_minute": 1_000_000, "max_tokens_per_minute": 1_000_000_000}
    texts = Texts(
        model_name="anthropic/" + bodies[0]["model"],
        backend="litellm",
        generation_params={"max_tokens": bodies[0]["max_tokens"]},
        backend_params={
            "base_url": os.environ["ANTHROPIC_BASE_URL"],
            "max_concurrent_requests": int(sys.argv[2]),
            "max_retries": 8,
            **limits,
        },
    )
    rows = [{"system": system_of(body), "user": body["messages"][-1]["content"]} for body in bodies]
    print(sum(bool(row["text"]) for row in texts(rows, working_dir=sys.argv[3]).dataset))


def system_of(body: dict) -> str:
    system = body["system"]
    return system if isinstance(system, str) else "".join(block["text"] for block in system)


if __name__ == "__main__":
    main()
