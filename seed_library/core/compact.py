"""What a catalog of 100,000 items has 100,000 of, kept small: a finished library is planned in 1 kB a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import overload


class Facts(Mapping[str, object]):
    """The facts of one item. The items of a file share the tuple of names; a dict for each takes twice the room."""

    __slots__ = ("_names", "_values")

    def __init__(self, names: tuple[str, ...], values: tuple[object, ...]) -> None:
        self._names = names
        self._values = values

    def __getitem__(self, name: str) -> object:
        if name not in self._names:
            raise KeyError(name)
        return self._values[self._names.index(name)]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __repr__(self) -> str:
        return repr(dict(self))


class FactsMaker:
    """Makes the facts of one file's items; equal names and equal texts are kept once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._texts: dict[str, str] = {}

    def make(self, record: Mapping[str, object]) -> Facts:
        """Return a record's facts."""
        names = tuple(record)
        return Facts(self._names.setdefault(names, names), tuple(map(self._shared, record.values())))

    def _shared(self, value: object) -> object:
        return self._texts.setdefault(value, value) if isinstance(value, str) else value


class Fingerprints(Sequence[str]):
    """Fingerprints in a row, 16 bytes each; as strings they would take 104."""

    def __init__(self) -> None:
        self._digests = bytearray()

    def append(self, fingerprint: str) -> None:
        """Add a fingerprint of 32 hex digits."""
        self._digests += bytes.fromhex(fingerprint)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[str]: ...
    def __getitem__(self, place: int | slice) -> str | Sequence[str]:
        if isinstance(place, slice):
            return [self[one] for one in range(len(self))[place]]
        start = range(len(self))[place] * _FINGERPRINT_BYTES
        return self._digests[start : start + _FINGERPRINT_BYTES].hex()

    def __iter__(self) -> Iterator[str]:
        for start in range(0, len(self._digests), _FINGERPRINT_BYTES):
            yield self._digests[start : start + _FINGERPRINT_BYTES].hex()

    def __len__(self) -> int:
        return len(self._digests) // _FINGERPRINT_BYTES


_FINGERPRINT_BYTES = 16
