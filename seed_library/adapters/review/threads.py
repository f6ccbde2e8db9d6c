"""Waiting, in an event loop, for a call that would block it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

Result = TypeVar("Result")


async def in_thread(call: Callable[[], Result]) -> Result:
    """Return what a call returns, made in a thread of its own, which keeps nobody from ending the program."""
    future: Future[Result] = Future()
    Thread(target=keep, args=(future, call), daemon=True).start()
    return await asyncio.wrap_future(future)


def keep(future: Future[Result], call: Callable[[], Result]) -> None:
    """Make a call, and put what comes of it into a future, unless nobody waits for it any more."""
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except Exception as error:  # noqa: BLE001  whoever waits for the call gets it
        future.set_exception(error)
    else:
        future.set_result(result)
