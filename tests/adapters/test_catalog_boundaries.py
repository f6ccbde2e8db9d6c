"""A catalog is what is in its folder: nothing outside of it is read, since what is read is sent to the model."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from adapters.catalog_maker import FILES, make_catalog

from seed_library.adapters.catalog_folders import list_catalogs
from seed_library.adapters.catalogs import load_catalog
from seed_library.core.errors import CatalogInvalid

SECRET = "ANTHROPIC_API_KEY=sk-ant-not-a-real-key"
TEMPLATES = [name for name in FILES if name.endswith(".md")]


def _faults(folder: Path) -> list[str]:
    with pytest.raises(CatalogInvalid) as caught:
        load_catalog(folder, "stars")
    assert SECRET not in caught.value.message
    return [line.removeprefix("  - ") for line in caught.value.message.splitlines()[1:]]


@pytest.mark.parametrize("name", [*TEMPLATES, "items.csv", "catalog.toml"])
@pytest.mark.parametrize("relative", [True, False], ids=["relative", "absolute"])
def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path, name: str, *, relative: bool) -> None:
    """Whichever file it stands for: the error names it, and nothing of what it leads to."""
    folder = make_catalog(tmp_path / "prompts", {name: None})
    (tmp_path / ".env").write_text(SECRET)
    (folder / "stars" / name).symlink_to("../../.env" if relative else tmp_path / ".env")
    assert _faults(folder) == [f"{name} leads out of the catalog's folder; only what is in it is read"]


def test_a_link_to_a_link_is_judged_by_where_it_ends(tmp_path: Path) -> None:
    """In the folder at first sight, and outside of it in the end."""
    folder = make_catalog(tmp_path / "prompts", {"sun.de.md": None})
    (tmp_path / "notes").write_text(SECRET)
    (folder / "stars" / "inner").symlink_to(tmp_path / "notes")
    (folder / "stars" / "sun.de.md").symlink_to("inner")
    assert _faults(folder) == ["sun.de.md leads out of the catalog's folder; only what is in it is read"]


def test_another_catalog_is_outside_as_well(tmp_path: Path) -> None:
    """Its folder is not this one."""
    folder = make_catalog(tmp_path, {"sun.de.md": None})
    make_catalog(tmp_path, name="planets")
    (folder / "stars" / "sun.de.md").symlink_to("../planets/sun.de.md")
    assert _faults(folder) == ["sun.de.md leads out of the catalog's folder; only what is in it is read"]


def test_a_hidden_file_is_not_read_through_a_link(tmp_path: Path) -> None:
    """A .env may lie in the folder itself."""
    folder = make_catalog(tmp_path, {"sun.de.md": None, ".env": SECRET})
    (folder / "stars" / "sun.de.md").symlink_to(".env")
    assert _faults(folder) == ["sun.de.md leads to a hidden file, which is not read"]


def test_a_link_inside_the_folder_is_followed(tmp_path: Path) -> None:
    """One text in one place; and the folder itself may be reached by a link."""
    folder = make_catalog(tmp_path / "elsewhere", {"moon.de.md": None})
    (folder / "stars" / "moon.de.md").symlink_to("sun.de.md")
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "stars").symlink_to(folder / "stars")
    catalog = load_catalog(tmp_path / "prompts", "stars")
    assert catalog.sources["moon", "de"].user == FILES["sun.de.md"]


@pytest.mark.parametrize(
    ("target", "fault"),
    [("nowhere.md", "sun.de.md is missing"), ("sun.de.md", "sun.de.md cannot be read: Too many levels")],
    ids=["nowhere", "itself"],
)
def test_a_link_that_leads_nowhere_is_an_unreadable_file(tmp_path: Path, target: str, fault: str) -> None:
    """No traceback, and the file is named."""
    folder = make_catalog(tmp_path, {"sun.de.md": None})
    (folder / "stars" / "sun.de.md").symlink_to(target)
    (found,) = _faults(folder)
    assert found.startswith(fault)


@pytest.mark.parametrize("name", ["system.de.md", "sun.en.md", "items.csv"])
def test_a_pipe_is_no_file_and_is_not_waited_for(tmp_path: Path, name: str) -> None:
    """Reading one that nobody writes would last for ever."""
    folder = make_catalog(tmp_path, {name: None})
    os.mkfifo(folder / "stars" / name)
    assert _faults(folder) == [f"{name} is no regular file"]


def test_a_list_of_catalogs_follows_no_link_either(tmp_path: Path) -> None:
    """What is wrong is listed beside the name."""
    (tmp_path / "notes.toml").write_text('description = "outside"')
    (tmp_path / "prompts" / "stars").mkdir(parents=True)
    (tmp_path / "prompts" / "stars" / "catalog.toml").symlink_to("../../notes.toml")
    (listing,) = list_catalogs(tmp_path / "prompts")
    assert (listing.description, listing.fault[:43]) == ("", "catalog.toml leads out of the catalog's fol")
