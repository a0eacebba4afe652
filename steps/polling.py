"""Poll until a condition holds, with a deadline, and report what is awaited, for how long, and what was last seen."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from clients.cluster.kubernetes import CallFailed
from dualregion.errors import DeadlineExceeded
from messages import Message
from messages.steps import steps as messages

T = TypeVar("T")

Say = Callable[[str], None]
"""Where progress lines go: the engine's live output, or a test's list."""

POLL_SECONDS = 0.5
"""How often a state is looked at: far below the seconds that brokers take to change."""
REPEAT_SECONDS = 10.0
"""How often an unchanged state is told again, so that a silent line never looks like a hang."""


@dataclass
class Waiting:
    """How a gate waits.

    :ivar step: the id of the step, put before each line.
    :ivar deadline_seconds: how long each wait may take.
    """

    step: str
    say: Say
    deadline_seconds: float
    poll_seconds: float = POLL_SECONDS
    _clock: Callable[[], float] = field(default=time.monotonic)

    def until_none(
        self, what: Message, look: Callable[[], Message | None], hint: Message | None = None
    ) -> float:
        """Look until there is no reason left why it is not so yet.

        :param what: what is awaited.
        :param look: returns the reason why not yet, or None; a `CallFailed` counts as one.
        :param hint: the next thing for the operator to try, unless what was seen last has a remedy of its own.
        :returns: the seconds waited.
        :raises DeadlineExceeded: saying what was awaited, what was seen last and what to try.
        """
        start = self._clock()
        reason = self.last_reason(what, look)
        elapsed = self._clock() - start
        if reason is not None:
            hint = _hint_at(reason) or hint
            raise DeadlineExceeded(
                messages.deadline_exceeded(self.step, elapsed, what, reason, hint)
            )
        return elapsed

    def answer(self, what: Message, ask: Callable[[], T], hint: Message | None = None) -> T:
        """Ask until there is an answer, and return it.

        :param ask: may raise `CallFailed` as long as there is none.
        :raises DeadlineExceeded: as `until_none`.
        """
        answers: list[T] = []

        def look() -> None:
            answers.append(ask())

        self.until_none(what, look, hint)
        return answers[-1]

    def last_reason(self, what: Message, look: Callable[[], Message | None]) -> Message | None:
        """Look until there is no reason left or the deadline has passed; return the last reason seen."""
        progress = _Progress(self.step, what, self.say, self._clock)

        def attempt() -> Message | None:
            try:
                reason = look()
            except CallFailed as error:
                reason = error.message
            progress.saw(reason)
            return reason

        last: Message | None = Retrying(
            retry=retry_if_result(lambda reason: reason is not None),
            wait=wait_fixed(self.poll_seconds),
            stop=stop_after_delay(self.deadline_seconds),
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )(attempt)
        return last


_NOT_READY = (502, 503, 504)
"""How the API server, or what it passes a call on to, answers while that is not ready."""


def _hint_at(last_seen: Message) -> Message | None:
    """Return what helps where nothing answered, so that nothing of what is awaited was seen, or who answered; else None.

    It goes by the codes of `messages.clients.clusters` and of `messages.steps.steps`.
    """
    if last_seen.code == "service-failed" and last_seen.facts.get("status") in _NOT_READY:
        return messages.look_behind_service()
    if last_seen.code in ("service-unanswered", "call-unanswered"):
        return messages.look_at_reach()
    if last_seen.code == "lost-region-works":
        return messages.cut_what_policies_leave(last_seen.facts["lost_name"])
    return None


def twice(look: Callable[[], Message | None]) -> Callable[[], Message | None]:
    """Return a look that finds nothing only if it has found nothing twice in a row: once may be a slip of the moment.

    :param look: returns a reason, or None; may raise `CallFailed`.
    """
    found_nothing = False

    def again() -> Message | None:
        nonlocal found_nothing
        before, found_nothing = found_nothing, False
        reason = look()
        found_nothing = reason is None
        return reason or (None if before else messages.seen_once())

    return again


class Unchanged:
    """Knows for how long something has been seen as it is."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: object = self
        self._since = 0.0

    def seconds(self, found: object) -> float:
        """Return for how many seconds it has been so; 0 if it was otherwise before.

        :param found: what is seen now.
        """
        now = self._clock()
        if found != self._seen:
            self._seen, self._since = found, now
        return now - self._since


def steadily(
    seconds: float, look: Callable[[], Message | None], clock: Callable[[], float] = time.monotonic
) -> Callable[[], Message | None]:
    """Return a look that finds nothing only once it has found nothing for so long, without a break.

    :param look: returns a reason, or None; may raise `CallFailed`.
    """
    quiet, breaks = Unchanged(clock), 0

    def again() -> Message | None:
        nonlocal breaks
        breaks += 1
        reason = look()
        breaks -= reason is None
        if reason is not None:
            return reason
        return None if quiet.seconds(breaks) >= seconds else messages.seen_for_a_while(seconds)

    return again


class _Progress:
    """Says a state when it changes, and again when it has not changed for a while."""

    def __init__(self, step: str, what: Message, say: Say, clock: Callable[[], float]) -> None:
        self._step, self._what, self._say, self._clock = step, what, say, clock
        self._start = clock()
        self._last: tuple[Message | None, float] = (None, self._start - REPEAT_SECONDS)

    @property
    def elapsed(self) -> float:
        return self._clock() - self._start

    def saw(self, reason: Message | None) -> None:
        if reason is None:
            self._say(messages.wait_done(self._step, self._what, self.elapsed))
            return
        seen, at = self._last
        quiet = self._clock() - at
        if quiet >= REPEAT_SECONDS or (reason != seen and quiet >= 1):
            self._say(messages.wait_goes_on(self._step, self._what, self.elapsed, reason))
            self._last = (reason, self._clock())
