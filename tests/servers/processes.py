"""Starting the Messages API servers as processes, and talking to them. Usable without pytest."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from servers.supabase import ServersMissing

HERE = Path(__file__).resolve().parent
KEY = "sk-ant-test-not-a-real-key"
_START_SECONDS = 30
_POLL_SECONDS = 0.01


class MessagesServer:
    """Our scripted server (see messages_api.py)."""

    def __init__(self, latency_ms: float = 0) -> None:
        config = json.dumps({"key": KEY, "latency_ms": latency_ms})
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "messages_api.py")],
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "SEED_TEST_MESSAGES": config},
            start_new_session=True,
        )
        assert self._process.stdout is not None
        self.url: str = json.loads(self._process.stdout.readline())["url"]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point the program at this server."""
        return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.url}

    def control(self, **command: Any) -> dict[str, Any]:
        """Send a control command."""
        request = urllib.request.Request(f"{self.url}/__control", json.dumps(command).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            state: dict[str, Any] = json.load(answer)
        return state

    def faults(self, *faults: dict[str, Any]) -> None:
        """Replace all faults."""
        self.control(faults=list(faults))

    def log(self, path: str = "/v1/messages") -> list[dict[str, Any]]:
        """Return the requests to one path so far."""
        return [entry for entry in self.control(state=True)["log"] if entry["path"] == path]

    def billed(self) -> list[dict[str, Any]]:
        """Return what was charged for."""
        billed: list[dict[str, Any]] = self.control(state=True)["billed"]
        return billed

    def wait_for(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until the state is as wanted, however long that takes, and return it."""
        while not condition(state := self.control(state=True)):
            time.sleep(_POLL_SECONDS)
        return state

    def reset(self) -> None:
        """Forget everything."""
        self.control(clear=True, latency_ms=0)

    def stop(self) -> None:
        """End the server; it also ends by itself when this process dies."""
        _end(self._process)


class MockAiApi:
    """An independent server that speaks the Messages API (the package mock-ai-api, in an environment of its own)."""

    def __init__(self) -> None:
        python = os.environ.get("SEED_TEST_MOCK_AI_API_PYTHON")
        if not python:
            raise ServersMissing("SEED_TEST_MOCK_AI_API_PYTHON names no interpreter that has mock-ai-api")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [python, "-m", "uvicorn", "app.anthropic_app:app", "--host", "127.0.0.1", "--port", str(port)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError("mock-ai-api does not start")
            time.sleep(0.05)

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point the program at this server."""
        return {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": self.url}

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/v1/models", timeout=5):
                return True
        except urllib.error.HTTPError:
            return True
        except OSError:
            return False

    def stop(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()


def _end(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    with suppress(BrokenPipeError):
        process.stdin.close()
    process.wait(10)
    process.stdout.close()
