"""Well-known programs for the same job that can go on where they were killed, each in an environment of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_ENVIRONMENTS = _HERE.parent / ".nox" / "peers"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program, how to start it, and what it needs; the versions are the newest of 2026-11-25."""

    name: str
    script: str
    packages: tuple[str, ...]

    def command(self, bodies: Path, concurrency: int, folder: Path) -> Sequence[str]:
        """Return the command that asks for all bodies and keeps what it needs to go on in the folder."""
        script = _HERE / "peer_programs" / self.script
        return [str(self._python()), str(script), str(bodies), str(concurrency), str(folder)]

    @property
    def settings(self) -> dict[str, str]:
        """What keeps it from calling home."""
        return {
            "TELEMETRY_ENABLED": "false",
            "CURATOR_DISABLE_RICH_DISPLAY": "1",
            "HF_HUB_OFFLINE": "1",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }

    def _python(self) -> Path:
        environment = _ENVIRONMENTS / self.name
        python = environment / "bin" / "python"
        if not (environment / "ready").exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=True)
            subprocess.run([python, "-m", "pip", "install", "-q", *self.packages], check=True)
            (environment / "ready").touch()
        return python


PEERS = (
    Peer("LangChain", "langchain_loop.py", ("langchain-anthropic==1.7.10", "langchain-community==0.4.2")),
    Peer("Curator", "curator_loop.py", ("bespokelabs-curator==0.1.31",)),
)
