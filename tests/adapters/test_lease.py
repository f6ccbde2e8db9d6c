"""The lease and its fence, on a real Postgres behind the REST API."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

import pytest
from adapters.library_rows import row
from servers.supabase import GRANTS, ORIGINAL_TABLE, Supabase

from seed_library.adapters.fenced import FencedStore
from seed_library.adapters.lease import Moment, NoLease
from seed_library.adapters.lease_functions import FencedOff, FunctionsMissing
from seed_library.core.errors import LeaseLost, RowsRefused, StoreUnavailable, TargetLocked
from seed_library.core.lease import LeaseTimes

Machine = Callable[..., FencedStore]
SHORT = LeaseTimes(lasts=0.15)
SLOWLY = """
create function public.slowly() returns trigger language plpgsql as
  $$ begin perform pg_sleep({seconds}); return new; end $$;
create trigger slowly before {when} on public.{table} for each row execute function public.slowly();
"""


class Hands:
    """A clock with two hands that the test moves."""

    def __init__(self) -> None:
        self.moment = Moment(0, 0)

    def __call__(self) -> Moment:
        """Return where they stand."""
        return self.moment


def _expire(project: Supabase) -> None:
    project.sql("update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'")


def _texts(project: Supabase) -> dict[str, str]:
    return {found["key"]: found["description"] for found in project.sql("select * from public.content_library")}


async def test_one_machine_holds_the_lease_and_the_other_is_told_by_whom(supabase: Supabase, machine: Machine) -> None:
    """Host, pid, command, run and since when; and how to get on."""
    token, check = await machine(supabase, "r1", host="first-machine")._lease.take(())
    assert (token, check.ok) == (1, True)
    with pytest.raises(TargetLocked) as refused:
        await machine(supabase, "r2")._lease.take(())
    for word in ("pid 4711 on first-machine", "`seed-library run`", "(run r1)", "since 20"):
        assert word in refused.value.message
    assert "unlock --token 1" in refused.value.hint


async def test_every_new_grant_has_a_higher_token(supabase: Supabase, machine: Machine) -> None:
    """Given back, run out or broken: the number never goes back."""
    tokens = []
    for number in range(4):
        lease = machine(supabase, f"r{number}")._lease
        tokens.append((await lease.take(()))[0])
        if number % 2:
            _expire(supabase)
        else:
            await lease.release()
    assert tokens == [1, 2, 3, 4]


async def test_a_lost_answer_is_asked_for_again_without_harm(supabase: Supabase, machine: Machine) -> None:
    """The same run gets the same token, and the lease lasts longer."""
    supabase.faults({"match": "POST /rest/v1/rpc/seed_library_acquire", "drop": True, "after": True})
    lease = machine(supabase, "r1")._lease
    with pytest.raises(StoreUnavailable):
        await lease.take(())
    assert (await lease.take(()))[0] == 1


async def test_a_lease_that_ran_out_is_free_but_may_still_be_renewed_by_its_holder(
    supabase: Supabase, machine: Machine
) -> None:
    """By the database's own clock, with a lease of a moment."""
    first = machine(supabase, "r1", times=SHORT)
    await first._lease.take(())
    supabase.sql("select pg_sleep(0.2)")
    assert not (await first._lease._functions.peek()).held
    await first._lease.renew()
    await first.upsert([row("a", "of the first")])
    _expire(supabase)
    assert (await machine(supabase, "r2")._lease.take(()))[0] == 2
    with pytest.raises(LeaseLost, match="host of r2"):
        await first._lease.renew()


async def test_a_stale_token_writes_nothing(supabase: Supabase, machine: Machine) -> None:
    """The old holder is refused by the database, whatever it believes, and knows from then on."""
    first, second = machine(supabase, "r1"), machine(supabase, "r2")
    await first._lease.take(())
    await first.upsert([row("a", "first"), row("b", "first")])
    _expire(supabase)
    await second._lease.take(())
    await second.upsert([row("a", "second")])
    first._lease.assert_held()  # it has not noticed
    before = supabase.sql("select * from public.content_library order by key")
    with pytest.raises(LeaseLost, match="pid 4711 on host of r2"):
        await first.upsert([row("a", "late"), row("c", "late")])
    assert supabase.sql("select * from public.content_library order by key") == before
    with pytest.raises(LeaseLost):
        first._lease.assert_held()
    await first._lease.release()
    assert _holder(supabase) == "r2"


async def test_a_released_lease_fences_its_last_holder_off(supabase: Supabase, machine: Machine) -> None:
    """A write that was delayed on its way comes too late."""
    first = machine(supabase, "r1")
    await first._lease.take(())
    await first._lease.release()
    with pytest.raises(LeaseLost):
        await first.upsert([row("a")])
    assert supabase.count() == 0


async def test_a_takeover_waits_for_the_write_that_runs(
    supabase: Supabase, machine: Machine, request: pytest.FixtureRequest
) -> None:
    """The fence is checked in the transaction that writes; nothing of it arrives after a newer grant."""
    first, second = machine(supabase, "r1"), machine(supabase, "r2")
    await first._lease.take(())
    request.addfinalizer(lambda: supabase.sql("drop function public.slowly() cascade"))
    supabase.sql(SLOWLY.format(seconds=0.4, when="insert", table="content_library"))
    writing = asyncio.create_task(first.upsert([row("a", "first")]))
    await asyncio.to_thread(_until_writing, supabase)
    taking = asyncio.create_task(_take_over(supabase, second))
    done, _ = await asyncio.wait({writing, taking}, return_when=asyncio.FIRST_COMPLETED)
    assert writing in done
    assert await taking == {"a": "first"}


def _until_writing(project: Supabase) -> None:
    while not project.sql("select 1 from pg_stat_activity where wait_event = 'PgSleep'"):
        pass


async def _take_over(project: Supabase, machine: FencedStore) -> dict[str, str]:
    """Take a lease that has run out, and return what is in the table at that moment."""
    await asyncio.to_thread(
        project.sql, "update public.seed_library_lease set expires_at = clock_timestamp() - interval '1 second'"
    )
    await machine._lease.take(())
    return _texts(project)


@pytest.mark.parametrize("machines", [24])
async def test_of_many_machines_one_wins_every_time(
    supabase: Supabase, machine: Machine, request: pytest.FixtureRequest, machines: int
) -> None:
    """Rounds of simultaneous starts; the winner gives the lease back and the next round begins.

    A grant takes a while here, so that the others look while it is being made.
    """
    request.addfinalizer(lambda: supabase.sql("drop function public.slowly() cascade"))
    supabase.sql(SLOWLY.format(seconds=0.03, when="update", table="seed_library_lease"))
    tokens = []
    for number in range(6):
        leases = [machine(supabase, f"r{number}-{one}")._lease for one in range(machines)]
        outcomes = await asyncio.gather(*(lease.take(()) for lease in leases), return_exceptions=True)
        assert Counter(type(outcome).__name__ for outcome in outcomes) == {"tuple": 1, "TargetLocked": machines - 1}
        for lease, outcome in zip(leases, outcomes, strict=True):
            if isinstance(outcome, tuple):
                tokens.append(outcome[0])
                await lease.release()
    assert tokens == [1, 2, 3, 4, 5, 6]


async def test_a_dead_run_of_this_machine_is_followed_at_once(supabase: Supabase, machine: Machine) -> None:
    """Its journal is ours and its lock is free, so it is dead; a journal copied to another machine proves nothing."""
    await machine(supabase, "dead", host="here")._lease.take(())
    with pytest.raises(TargetLocked):
        await machine(supabase, "copied", host="elsewhere")._lease.take({"dead"})
    with pytest.raises(TargetLocked):
        await machine(supabase, "stranger", host="here")._lease.take({"another"})
    assert (await machine(supabase, "next", host="here")._lease.take({"dead"}))[0] == 2


async def test_breaking_needs_the_token_that_is_held(supabase: Supabase, machine: Machine) -> None:
    """An older one and a guessed one break nothing; the right one frees the lease, but not for its last holder."""
    first = machine(supabase, "r1")
    await first._lease.take(())
    functions = first._lease._functions
    assert [await functions.break_(token) for token in (0, 2, 1, 1)] == [False, False, True, False]
    with pytest.raises(LeaseLost):
        await first.upsert([row("a")])
    assert (await machine(supabase, "r2")._lease.take(()))[0] == 2


@pytest.mark.parametrize(
    ("boot", "wall", "stale", "held"),
    [
        (60, 60, False, True),
        (60.1, 0, True, True),
        (0, 60.1, True, True),
        (-5, 59, False, True),
        (90.1, -3_600, True, False),
        (-3_600, 90.1, True, False),
        (0, 0, False, True),
    ],
)
async def test_the_age_of_a_renewal_is_what_the_older_clock_says(
    supabase: Supabase, machine: Machine, boot: float, wall: float, *, stale: bool, held: bool
) -> None:
    """Asleep, put away, or with a clock set back: the time is over as soon as one of the two clocks says so.

    After 60 s the lease is renewed before anything is paid; after 90 s it has run out, as far as this machine knows.
    """
    hands = Hands()
    lease = machine(supabase, "r1", now=hands)._lease
    await lease.take(())
    hands.moment = Moment(boot, wall)
    assert lease.stale is stale
    if held:
        lease.assert_held()
    else:
        with pytest.raises(LeaseLost, match="could not be renewed for"):
            lease.assert_held()
    await lease.renew()
    lease.assert_held()
    assert not lease.stale


async def test_the_age_counts_from_when_the_renewal_was_sent(supabase: Supabase, machine: Machine) -> None:
    """An answer that was long under way makes the lease no younger."""
    hands = Hands()
    lease = machine(supabase, "r1", now=hands)._lease
    await lease.take(())
    renewing = asyncio.create_task(lease.renew())
    await asyncio.sleep(0)  # it has looked at the clock and sent its request
    hands.moment = Moment(91, 91)
    await renewing
    with pytest.raises(LeaseLost, match="91 s"):
        lease.assert_held()


async def test_no_answer_is_given_up_after_a_while(supabase: Supabase, machine: Machine) -> None:
    """A renewal that hangs must not outlast the lease; a release that hangs keeps nobody."""
    lease = machine(supabase, "r1")._lease
    await lease.take(())  # with all the patience that a busy machine needs
    lease._times = lease._functions._times = LeaseTimes(answer_within=0.2, release_within=0.1)
    supabase.faults({"match": "POST /rest/v1/rpc/", "delay_ms": 1500, "times": 2})
    with pytest.raises(StoreUnavailable, match=r"within 0\.2 s"):
        await lease.renew()
    await lease.release()


async def test_a_bad_row_is_refused_and_none_is_written(supabase: Supabase, machine: Machine) -> None:
    """With the engine's own words for it, so that the batch is halved as ever."""
    first = machine(supabase, "r1")
    await first._lease.take(())
    for bad in ("no\0character", "half \ud800"):
        with pytest.raises(RowsRefused):
            await first.upsert([row("a"), row("b", bad)])
    assert supabase.count() == 0


async def test_without_the_functions_there_is_only_the_local_lock_and_it_is_said(
    project: Callable[..., Supabase], machine: Machine
) -> None:
    """Rows are stored as before; the finding names the migration. Where the lease is required, it fails."""
    bare = project(ORIGINAL_TABLE, GRANTS)
    store = machine(bare, "r1")
    token, check = await store._lease.take(())
    assert (token, check.ok) == (0, True)
    assert "no lease functions" in check.message
    assert "content_library_lease" in check.hint
    store._lease.assert_held()
    await store.upsert([row("a")])
    await store._lease.release()
    assert (bare.count(), bare.log()[-1]["line"]) == (1, "POST /rest/v1/content_library")
    token, check = await machine(bare, "r2", required=True)._lease.take(())
    assert (token, check.ok) == (0, False)
    assert "SEED_LIBRARY_REQUIRE_LEASE" in check.message
    with pytest.raises(FunctionsMissing):
        await store._lease._functions.peek()


async def test_a_page_of_somebody_else_is_no_grant(supabase: Supabase, machine: Machine) -> None:
    """A gateway that answers 200 to everything must not look like a lease."""
    for name, body in (("acquire", '{"granted": true}'), ("acquire", "<html>"), ("acquire", "[]")):
        page = {"status": 200, "body": body, "headers": {"content-type": "application/json"}}
        supabase.faults({"match": f"POST /rest/v1/rpc/seed_library_{name}", **page})
        with pytest.raises(StoreUnavailable):
            await machine(supabase, "r1")._lease.take(())


async def test_the_functions_tell_a_fenced_write_from_every_other_refusal(supabase: Supabase, machine: Machine) -> None:
    """PT409, which the API turns into a 409."""
    store = machine(supabase, "r1")
    values = await store._store.all_values([row("a")])
    with pytest.raises(FencedOff):
        await store._lease._functions.store("r1", 1, values, [])
    assert supabase.log()[-1]["status"] == 409


async def test_a_file_needs_no_lease() -> None:
    """Whoever can reach it is on this machine, where the lock holds."""
    lease = NoLease()
    token, check = await lease.take({"r1"})
    await lease.renew()
    lease.assert_held()
    await lease.release()
    assert (token, check.ok, check.hint, lease.applies) == (0, True, "", False)


def _holder(project: Supabase) -> str | None:
    found: str | None = project.sql("select holder from public.seed_library_lease")[0]["holder"]
    return found
