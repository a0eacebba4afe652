"""Many are asked at once: answers come in the order of what was asked, and what fails is told."""

import threading

import pytest

from clients.parallel import at_once


def test_answers_come_in_the_order_of_what_was_asked_and_not_of_who_is_quick() -> None:
    gates = {0: threading.Event(), 1: threading.Event()}

    def ask(number: int) -> int:
        if number == 0:
            assert gates[1].wait(60), "the others are not asked meanwhile"
        gates[number].set()
        return 10 * number

    assert at_once(ask, [0, 1]) == [0, 10]


def test_what_the_first_that_failed_has_raised_is_told() -> None:
    def ask(number: int) -> int:
        raise ValueError(str(number))

    with pytest.raises(ValueError, match="3"):
        at_once(ask, [3, 4])


def test_no_more_than_so_many_are_asked_at_once() -> None:
    there, most = set[int](), [0]
    lock = threading.Lock()

    def ask(number: int) -> None:
        with lock:
            there.add(number)
            most[0] = max(most[0], len(there))
        with lock:
            there.discard(number)

    at_once(ask, range(50), most=2)
    assert most[0] <= 2
