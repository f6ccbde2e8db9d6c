"""Where batches are noted for other machines: in the lease row of the target, under the lease."""

from __future__ import annotations

from seed_library.adapters.lease import SupabaseLease
from seed_library.core.batches import BatchNote
from seed_library.core.errors import RunBlocked


class NoBatchNotes:
    """A target without such a place: a local file."""

    kept = False

    async def read(self) -> list[BatchNote]:
        """Return that nothing is noted."""
        return []

    async def write(self, note: BatchNote) -> None:
        """Do nothing."""


class LeaseRowNotes:
    """Implements the `BatchNotes` port; without the functions for it, or without the lease, nothing is kept."""

    def __init__(self, lease: SupabaseLease) -> None:
        self._lease = lease
        self._missing = False

    @property
    def kept(self) -> bool:
        """Whether they are; whether the functions are there is known after the first `read`."""
        return self._lease.fenced and not self._missing

    async def read(self) -> list[BatchNote]:
        """Return what is noted."""
        if not self.kept:
            return []
        said = await self._lease.noted_batches()
        if said is None:
            self._missing = True
            return []
        try:
            return [BatchNote.from_json(one) for one in said.values()]
        except (KeyError, TypeError, ValueError, AttributeError):
            pass
        raise RunBlocked(
            "The batches that are noted in seed_library_lease.batches cannot be read.",
            hint="A newer version of seed_library, or a person, has written them. Nothing was asked for.",
        )

    async def write(self, note: BatchNote) -> None:
        """Note a batch, or what is new about it."""
        if self.kept:
            await self._lease.note_batch(note.token, note.as_json())
