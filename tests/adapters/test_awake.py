"""Patience is counted in time awake: an answer that has arrived is read, however late the clock says it is."""

from __future__ import annotations

import asyncio

import pytest

from seed_library.adapters.awake import TimeAwake, patiently


class _JumpingLoop(asyncio.SelectorEventLoop):
    """A loop whose clock can be set on."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


def test_a_jump_of_the_clock_is_no_timeout() -> None:
    """An hour passes in one moment while an answer is awaited that has been there all the time."""
    loop = _JumpingLoop()

    async def wait() -> str:
        answer = loop.create_future()

        async def read() -> str:
            async with patiently(30):
                for _ in range(20):  # the layers that an answer passes on its way up, each a turn of the loop
                    await asyncio.sleep(0)
                return str(await answer)

        reading = asyncio.ensure_future(read())
        await asyncio.sleep(0)
        loop.ahead = 3600
        loop.call_later(0.01, answer.set_result, "here")
        return await reading

    try:
        assert loop.run_until_complete(wait()) == "here"
    finally:
        loop.close()


def test_time_awake_counts_and_time_asleep_hardly() -> None:
    """A step that took too long counts as one, and is never the last."""
    patience = TimeAwake(whole=3, silence=3)
    assert patience.spend(1, 1)
    assert patience.spend(135, 1)
    assert patience.spend(500, 1)
    assert patience.spend(500, 1), "nothing has been read since the program woke up"
    assert not patience.spend(1, 1)


def test_what_is_heard_ends_a_silence_but_not_the_whole() -> None:
    """A trickle that never ends is left in the end."""
    patience = TimeAwake(whole=5, silence=2)
    for _ in range(4):
        patience.expect_within(2)
        assert patience.spend(1, 1)
    patience.expect_within(2)
    assert not patience.spend(1, 1)
    silent = TimeAwake(whole=5, silence=2)
    assert silent.spend(1, 1)
    assert not silent.spend(1, 1)
    strict = TimeAwake(whole=50, silence=50)
    strict.expect_within(2)
    assert [strict.spend(1, 1) for _ in range(3)] == [True, True, False]


async def test_the_patience_ends_for_what_does_not_come() -> None:
    """As `asyncio.timeout` does; a cancellation from outside stays one."""
    with pytest.raises(TimeoutError):
        async with patiently(0.05):
            await asyncio.Event().wait()

    async def wait() -> None:
        async with patiently(60):
            await asyncio.Event().wait()

    waiting = asyncio.ensure_future(wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
