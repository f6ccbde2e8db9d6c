"""Clients and a provider with a rate limit, in virtual time: no process, no socket, no clock.

The provider is a token bucket as the real one: it is refilled all the time, holds what the limit allows in a second
where nothing else is said, refuses what finds less than one token, and asks to wait in whole seconds. A client is what
the engine does around a `Pacer`: first one text alone, then so many at once, twice as many who wait, the oldest first;
who was refused comes back when the provider had asked it to.
"""

from __future__ import annotations

import heapq
import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count

from seed_library.core.pacing import LONGEST_WAIT, Pacer
from seed_library.core.rate_limits import Limit, RateLimits
from seed_library.core.token_bucket import Departure

Tells = Callable[["Provider", float], RateLimits]


def everything(provider: Provider, now: float) -> RateLimits:
    """Tell the limit, and what remains."""
    return RateLimits({"requests": Limit(provider.per_minute, int(provider.level(now)))})


def only_the_limit(provider: Provider, now: float) -> RateLimits:
    """Tell nothing of what remains."""
    return RateLimits({"requests": Limit(provider.per_minute)})


def nothing(provider: Provider, now: float) -> RateLimits:
    """Tell nothing, as a gateway that takes the headers away."""
    return RateLimits()


class Provider:
    """An account.

    Attributes:
        per_minute: its limit.
        told_late: whether what remains is told as it is when the answer leaves, not as it was when the request came.
        refuses: whether it refuses the request with this number for another reason.
        asks: how many seconds it asks to wait; None: as long as a token takes, in whole seconds.
    """

    def __init__(self, per_minute: float, burst: float | None = None, tells: Tells = everything) -> None:
        self.tells = tells
        self.told_late = True
        self.refuses: Callable[[int], bool] = lambda number: False
        self.asks: float | None = None
        self.numbers = count(1)
        self._at = 0.0
        self.change(0.0, per_minute, burst)

    def change(self, now: float, per_minute: float, burst: float | None = None) -> None:
        """Begin a new limit with a full bucket."""
        self.per_minute = per_minute
        self._most = max(1.0, per_minute / 60) if burst is None else burst
        self._level, self._at = self._most, now

    def level(self, now: float) -> float:
        """Return what the bucket holds."""
        self._level = min(self._most, self._level + max(0.0, now - self._at) * self.per_minute / 60)
        self._at = max(now, self._at)
        return self._level

    def takes(self, now: float) -> bool:
        """Take a request, or refuse it."""
        if self.refuses(next(self.numbers)) or self.level(now) < 1:
            return False
        self._level -= 1
        return True

    def asked(self, now: float) -> float:
        """Return the seconds that a refusal asks to wait."""
        if self.asks is not None:
            return self.asks
        return max(1, math.ceil(max(0.0, 1 - self.level(now)) * 60 / self.per_minute))


@dataclass(frozen=True, slots=True)
class Network:
    """How long things take, in seconds.

    Attributes:
        answer: from the arrival of a request to its answer.
        refusal: the same of one that is refused; None: as long as an answer.
        jitter: how late a request leaves or arrives, on average.
        stalls: how often the machine of a client stands still for up to a tenth of a second just then.
    """

    answer: float = 0.1
    refusal: float | None = None
    jitter: float = 0.003
    stalls: float = 0.0


@dataclass(slots=True)
class Client:
    """One run.

    Attributes:
        arrived: when its requests arrived, and which were taken.
        done: when its texts were there.
    """

    texts: int
    at_once: int = 64
    starts: float = 0.0
    pacer: Pacer = field(default_factory=Pacer)
    arrived: list[float] = field(default_factory=list)
    done: list[float] = field(default_factory=list)
    ready: list[int] = field(default_factory=list)
    begun: int = 0
    busy: int = 0
    in_flight: int = 0
    alone: bool = True
    wakes: float = math.inf

    @property
    def most(self) -> int:
        """How many may be in flight."""
        return 1 if self.alone else self.at_once

    def next_text(self) -> int | None:
        """Return the oldest text that waits, or a new one; None where there is none, or nobody to care for it."""
        if self.ready:
            return heapq.heappop(self.ready)
        if self.begun == self.texts or self.busy >= 2 * self.most:
            return None
        self.begun += 1
        self.busy += 1
        return self.begun

    def put_back(self, text: int) -> None:
        """Let a text wait for its next request."""
        heapq.heappush(self.ready, text)


class Simulation:
    """What happens, in order."""

    def __init__(self, provider: Provider, clients: Sequence[Client], network: Network, seed: int = 1) -> None:
        self.provider = provider
        self.clients = clients
        self.network = network
        self.dice = random.Random(seed)
        self.now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        for client in clients:
            self.at(client.starts, partial(self._go_on, client))

    def at(self, when: float, happens: Callable[[], None]) -> None:
        """Let something happen."""
        heapq.heappush(self._events, (when, next(self._order), happens))

    def others(self, per_second: Callable[[float], float]) -> None:
        """Let other programs use the account, without any care, so many times a second."""

        def ask() -> None:
            rate = per_second(self.now)
            if rate > 0:
                self.provider.takes(self.now)
            self.at(self.now + (self.dice.expovariate(rate) if rate > 0 else 0.1), ask)

        self.at(0.0, ask)

    def run(self, until: float = 20_000) -> Seen:
        """Go on until all texts are there, or until a time."""
        while any(len(client.done) < client.texts for client in self.clients):
            self.now, _, happens = heapq.heappop(self._events)
            if self.now > until:
                break
            happens()
        return Seen(self.clients, self.provider.per_minute)

    def _late(self) -> float:
        late = self.dice.expovariate(1 / self.network.jitter) if self.network.jitter else 0.0
        return late + (self.dice.uniform(0.02, 0.1) if self.dice.random() < self.network.stalls else 0.0)

    def _go_on(self, client: Client) -> None:
        """Let all requests leave that may."""
        while client.in_flight < client.most:
            text = client.next_text()
            if text is None:
                return
            if (seconds := client.pacer.wait(self.now)) > 0:
                client.put_back(text)
                self._wake(client, self.now + seconds)
                return
            client.in_flight += 1
            departure = client.pacer.leaves(self.now)
            self.at(self.now + self._late(), partial(self._arrive, client, text, departure))

    def _wake(self, client: Client, when: float) -> None:
        if self.now < client.wakes <= when:
            return
        client.wakes = when

        def woken() -> None:
            if client.wakes == when:
                client.wakes = math.inf
                self._go_on(client)

        self.at(when + self._late(), woken)

    def _arrive(self, client: Client, text: int, departure: Departure) -> None:
        client.arrived.append(self.now)
        taken, limits = self.provider.takes(self.now), self.provider.tells(self.provider, self.now)
        asked = self.provider.asked(self.now)
        network = self.network
        seconds = network.answer if taken or network.refusal is None else network.refusal

        def come_back() -> None:
            told = self.provider.tells(self.provider, self.now) if self.provider.told_late else limits
            client.in_flight -= 1
            if taken:
                client.pacer.answered(self.now, departure, told, {})
                client.done.append(self.now)
                client.busy -= 1
                client.alone = False
            else:
                client.pacer.refused(self.now, departure, told, asked)
                back_off = self.dice.uniform(0.01, 0.1)
                self.at(self.now + min(asked, LONGEST_WAIT) + back_off, partial(self._again, client, text))
            client.pacer.returns()
            self._go_on(client)

        self.at(self.now + seconds, come_back)

    def _again(self, client: Client, text: int) -> None:
        client.put_back(text)
        self._go_on(client)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider has seen."""

    clients: Sequence[Client]
    per_minute: float

    @property
    def texts(self) -> int:
        """How many there are."""
        return sum(len(client.done) for client in self.clients)

    @property
    def requests(self) -> int:
        """How many arrived."""
        return sum(len(client.arrived) for client in self.clients)

    @property
    def per_text(self) -> float:
        """How many requests there were for a text."""
        return self.requests / self.texts

    @property
    def seconds(self) -> float:
        """From the first request after the first texts to the last answer."""
        began = min(min(at for at in client.arrived if at > client.done[0]) for client in self.clients)
        return max(client.done[-1] for client in self.clients) - began

    @property
    def of_ideal(self) -> float:
        """The same, as a multiple of what so many texts take at the limit."""
        return self.seconds / (self.texts * 60 / self.per_minute)

    @property
    def most_to_least(self) -> float:
        """How much more one client had done than another one, while all of them were at work."""
        began = max(client.done[0] for client in self.clients)
        ended = min(client.done[-1] for client in self.clients)
        counts = [sum(began <= at <= ended for at in client.done) for client in self.clients]
        return max(counts) / max(1, min(counts))


def alone(provider: Provider, texts: int, network: Network | None = None, seed: int = 1) -> Seen:
    """Let one client work, with 64 requests at once."""
    return Simulation(provider, [Client(texts)], network or Network(), seed).run()


def together(
    provider: Provider, texts: int, network: Network, *, clients: int = 8, within: float = 2.0, seed: int = 1
) -> Seen:
    """Let so many clients work, with so many texts each, that start within some seconds."""
    dice = random.Random(f"starts {seed}")
    crowd = [Client(texts, at_once=16, starts=dice.uniform(0, within)) for _ in range(clients)]
    return Simulation(provider, crowd, network, seed).run()


def slowly(network: Network) -> Network:
    """Return the same on a loaded machine."""
    return replace(network, jitter=0.01, stalls=0.1)
