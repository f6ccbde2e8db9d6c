"""A throw-away Postgres and, in front of it, Supabase's own lite server. Usable without pytest."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from toolchain import OLDEST_NODE, SERVER, find, find_node

TESTS = Path(__file__).resolve().parent.parent
MIGRATIONS = sorted((TESTS.parent / "seed_library" / "migrations").glob("*.sql"))
ORIGINAL_TABLE, GRANTS, UPDATED_AT, PROVENANCE, LEASE, BATCHES, ROWS = MIGRATIONS
_START_SECONDS = 60


class ServersMissing(Exception):
    """What the server needs is not installed; the text says what."""


def _opaque_key(prefix: str) -> str:
    body = prefix + base64.urlsafe_b64encode(secrets.token_bytes(17)).decode()[:22]
    digest = hashlib.sha256(f"supabase-self-hosted|{body}".encode()).digest()
    return f"{body}_{base64.urlsafe_b64encode(digest).decode()[:8]}"


def _signed_token(secret: str, claims: dict[str, Any]) -> str:
    def part(value: bytes) -> str:
        return base64.urlsafe_b64encode(value).decode().rstrip("=")

    head = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    return f"{head}.{part(hmac.new(secret.encode(), head.encode(), hashlib.sha256).digest())}"


class Postgres:
    """initdb and postgres as a child process; root hands both to an unprivileged user, since Postgres refuses root."""

    def __init__(self) -> None:
        found = find("initdb")
        if found is None:
            raise ServersMissing("no initdb (Debian: apt-get install postgresql)")
        self._programs = Path(found).resolve().parent
        self._folder = tempfile.mkdtemp(prefix="seed-library-pg-")
        self._as: dict[str, Any] = {"env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}, "cwd": "/"}
        if os.geteuid() == 0:
            user = next(entry for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"})
            os.chown(self._folder, user.pw_uid, user.pw_gid)
            self._as |= {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        self._start()

    def _start(self) -> None:
        data, log = f"{self._folder}/data", Path(f"{self._folder}/log")
        options = ["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        subprocess.run([self._programs / "initdb", "-D", data, *options], check=True, capture_output=True, **self._as)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "synchronous_commit=off"]
        switches = [part for setting in settings for part in ("-c", setting)]
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", data, "-p", str(self.port), *switches],
                stdout=output,
                stderr=output,
                start_new_session=True,
                **self._as,
            )
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers(log):
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise RuntimeError(log.read_text()[-2000:])
            time.sleep(0.02)

    def _answers(self, log: Path) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 0.2).close()
        except OSError:
            return False
        return b"ready to accept connections" in log.read_bytes()

    def new_database(self) -> str:
        """Create an empty database and return its URL."""
        name = f"seed_{secrets.token_hex(6)}"
        host = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres"]
        subprocess.run([self._programs / "createdb", *host, name], check=True, capture_output=True, **self._as)
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"

    def log(self) -> str:
        """Return what the database has logged."""
        return Path(f"{self._folder}/log").read_text("utf-8")

    def stop(self) -> None:
        """End the server at once; its data are of no worth."""
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)


class Supabase:
    """One project: a database of its own and the API server in front of it."""

    def __init__(self, postgres: Postgres, sql: Sequence[Path], *, max_rows: int = 1000, warm: bool = True) -> None:
        node = os.environ.get("SEED_TEST_NODE") or find_node()
        if node is None:
            raise ServersMissing(f"no node {OLDEST_NODE} or newer")
        if not (SERVER / "node_modules").is_dir():
            raise ServersMissing("npm ci --prefix tests/server has not been run")
        self.publishable, self.secret = _opaque_key("sb_publishable_"), _opaque_key("sb_secret_")
        self._signing = secrets.token_urlsafe(48)
        soon = int(time.time()) + 3600
        self.legacy = {
            role: self.token({"iss": "supabase", "role": role, "exp": soon}) for role in ("anon", "service_role")
        }
        config = {
            "database": postgres.new_database(),
            "publishable": self.publishable,
            "secret": self.secret,
            "jwt": self._signing,
            "sql": [str(file) for file in sql],
            "warm": "public.content_library" if warm else None,
            "schemas": ["public"],
            "max_rows": max_rows,
        }
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the server
        self._process = subprocess.Popen(
            [node, "server.mjs"],
            cwd=SERVER,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            start_new_session=True,
            env={
                "PATH": os.environ["PATH"],
                "LITE_TELEMETRY": "0",
                "DO_NOT_TRACK": "1",
                "SEED_TEST_SERVER": json.dumps(config),
            },
        )
        self.url: str = self._read()["url"]

    @property
    def environment(self) -> dict[str, str]:
        """The settings that point the program at this project."""
        return {"SUPABASE_URL": self.url, "SUPABASE_SERVICE_ROLE_KEY": self.secret}

    def sql(self, text: str) -> list[dict[str, Any]]:
        """Run SQL as the owner of the database."""
        rows: list[dict[str, Any]] = self._ask(sql=text)["rows"]
        return rows

    def faults(self, *faults: dict[str, Any]) -> None:
        """Replace all faults (see server.mjs)."""
        self._ask(faults=list(faults))

    def limit(self, role: str, milliseconds: int) -> None:
        """Give the statements of a role so long; a hosted project gives the service role 8 s."""
        self._ask(timeouts={role: milliseconds})

    def away(self, seconds: float) -> float:
        """Take the database away for so long; return in how many seconds the API answers again."""
        return float(self._ask(away_ms=round(seconds * 1000))["back_in_ms"]) / 1000

    def token(self, claims: dict[str, Any], *, secret: str = "") -> str:
        """Return a signed token of the project, or of another one."""
        return _signed_token(secret or self._signing, claims)

    def watch(self, *folders: Path) -> None:
        """Note with each request what it carries, and how long the journals in these state folders are."""
        self._ask(watch=list(map(str, folders)))

    def log(self) -> list[dict[str, Any]]:
        """Return the requests since the last call."""
        entries: list[dict[str, Any]] = self._ask(log=True, clear=True)["log"]
        return entries

    def count(self) -> int:
        """Return how many rows the library has."""
        return int(self.sql("select count(*)::int as n from public.content_library")[0]["n"])

    def reset(self) -> None:
        """Empty the library, the log and the faults; nobody holds a lease, and nothing is watched."""
        self.sql("truncate public.content_library")
        if self.sql("select to_regclass('public.seed_library_lease') is not null as there")[0]["there"]:
            self.sql("truncate public.seed_library_lease")
        self.faults()
        self.watch()
        self.log()

    def remake(self, *sql: Path | str) -> None:
        """Begin again with an empty schema `public`, as `project` does, but in the server that runs already."""
        self.sql("drop schema public cascade; create schema public; grant usage on schema public to public")
        for part in sql:
            self.sql(part if isinstance(part, str) else part.read_text("utf-8"))
        self.faults()
        self.limit("service_role", 8000)
        self.log()

    def stop(self) -> None:
        """End the server; it also ends by itself when this process dies."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._errors.close()

    def _ask(self, **command: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        answer = self._read()
        if "error" in answer:
            raise RuntimeError(f"{answer.get('code')} {answer['error']}")
        return answer

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._errors.seek(0)
            raise RuntimeError("the test server died: " + self._errors.read().decode()[-3000:])
        answer: dict[str, Any] = json.loads(line)
        return answer
