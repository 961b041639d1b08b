"""Where others join in: what is told of each answer, and who chooses the version that gives it.

Neither is needed to serve. Where one is absent nothing is called, collected or copied for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec


class Answered(NamedTuple):
    """One request that was answered, for ``Capture``.

    Attributes
    ----------
    request_id, unit:
        The request's id, and the unit it was asked for (``X-Unit-ID``; the request's id where
        there is none).
    time:
        Seconds since 1970, when the answer was ready; or what ``X-Event-Time`` (ISO 8601) says.
    version:
        The version that gave ``probability``.
    role:
        ``answer``, or ``shadow``: computed beside, and never returned.
    seconds:
        From the request's first byte of work to the answer.
    rows:
        A tuple of values for each row, in the order of the bundle's features; None for a request
        that came encoded.
    probability:
        One for each row; NaN where a row could not be answered.
    """

    request_id: str
    unit: str
    time: float
    version: int
    role: Literal["answer", "shadow"]
    seconds: float
    rows: Sequence[tuple[Any, ...]] | None
    probability: Sequence[float]


class Capture(Protocol):
    """Called in a thread of its own with what was answered since the last call."""

    def __call__(self, answered: list[Answered]) -> None: ...


class Route(msgspec.Struct, frozen=True):
    """Which version answers, and which compute beside it without being heard."""

    answer: int
    shadows: tuple[int, ...] = ()


class Router(Protocol):
    """Chooses for a unit among the versions that are loaded (alias to version); must be quick.

    A route to a version that is not loaded, or an exception, lets the champion answer.
    """

    def __call__(self, unit: str, versions: dict[str, int]) -> Route: ...


class Hooks(NamedTuple):
    """What a server is given beside its models: made anew in each worker.

    ``metrics`` are functions whose text is added to ``/metrics``; ``tick`` is called once a second
    on the event loop (to read a rollout's state, say) and must not block; ``close`` once at the
    end, after the last answer was captured.
    """

    capture: Capture | None = None
    router: Router | None = None
    metrics: tuple[Callable[[], str], ...] = ()
    tick: Callable[[], None] | None = None
    close: Callable[[], None] | None = None


NO_HOOKS = Hooks()
