"""The newest alone is worked on, by a thread that ends when idle; rates."""

import threading

import pytest

from emotion_core import streaming
from emotion_core.streaming import RATE_SECONDS, Newest, Rate
from tests.engine_helpers import wait_until

PATIENCE = 30
"""Seconds for what takes none on an idle machine."""


class Hand:
    """Takes items, each only once it may, and keeps them."""

    def __init__(self):
        self.taken, self.threads, self.at_work = [], [], 0
        self.most_at_work = 0
        self.may_work = threading.Event()
        self.may_work.set()

    def __call__(self, item):
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        self.taken.append(item)
        self.threads.append(threading.current_thread())
        assert self.may_work.wait(60)
        self.at_work -= 1


@pytest.fixture
def hand():
    hand = Hand()
    yield hand
    hand.may_work.set()


def test_what_comes_while_the_hand_is_busy_gives_way_to_the_newest(hand):
    hand.may_work.clear()
    newest = Newest(hand)
    newest.give(1)
    wait_until(lambda: hand.taken, PATIENCE)
    for item in (2, 3, 4, 5):
        newest.give(item)
    assert hand.taken == [1]
    hand.may_work.set()
    wait_until(lambda: len(hand.taken) > 1 and not hand.at_work, PATIENCE)
    assert hand.taken == [1, 5]


def test_once_closed_it_has_finished_what_was_in_hand_and_begins_nothing_more(hand):
    hand.may_work.clear()
    newest = Newest(hand)
    newest.give(1)
    wait_until(lambda: hand.taken, PATIENCE)
    threading.Timer(0.2, hand.may_work.set).start()
    newest.close()
    assert not hand.at_work
    newest.give(2)
    hand.threads[0].join(0.3)  # time enough to take it
    assert hand.taken == [1]


def test_work_is_done_by_another_thread_that_does_not_keep_the_process(hand):
    newest = Newest(hand)
    newest.give("item")
    wait_until(lambda: hand.threads, PATIENCE)
    assert hand.threads[0] is not threading.current_thread()
    assert hand.threads[0].daemon


def test_one_thread_does_the_work_as_long_as_there_is_some(hand):
    newest = Newest(hand)
    for number in range(5):
        newest.give(number)
        wait_until(lambda number=number: hand.taken[-1:] == [number], PATIENCE)
    assert hand.taken == [0, 1, 2, 3, 4]
    assert len(set(hand.threads)) == 1


def test_thread_ends_when_idle_and_another_takes_up_the_work(hand, monkeypatch):
    monkeypatch.setattr(streaming, "IDLE_SECONDS", 0.02)
    newest = Newest(hand)
    newest.give(1)
    wait_until(lambda: hand.threads and not hand.threads[0].is_alive(), PATIENCE)
    newest.give(2)
    wait_until(lambda: hand.taken == [1, 2], PATIENCE)
    assert hand.threads[1] is not hand.threads[0]


def test_last_item_is_handled_however_often_the_thread_ends(hand, monkeypatch):
    monkeypatch.setattr(streaming, "IDLE_SECONDS", 0.0)
    newest = Newest(hand)
    for number in range(500):
        newest.give(number)
    wait_until(lambda: hand.taken[-1:] == [499], PATIENCE)
    assert hand.taken == sorted(set(hand.taken)), "in order, none twice"
    assert hand.most_at_work == 1


def test_every_item_counts_as_one(hand):
    newest = Newest(hand)
    for item in (None, 0, ""):
        newest.give(item)
        wait_until(lambda item=item: hand.taken and hand.taken[-1] is item, PATIENCE)
    assert hand.taken == [None, 0, ""]


@pytest.mark.parametrize(
    ("moments", "now", "rate"),
    [
        ([], 0.0, 0),
        ([5.0], 5.0, 0),
        ([5.0, 5.5], 5.5, 2),
        ([5.0, 5.1, 5.2, 5.3], 5.3, 10),
        ([5.0, 5.5, 6.0], 6.9, 2),  # the time since the last one does not count
        ([1.0, 1.1, 1.2, 10.0, 10.5], 10.5, 2),  # nor does what is long past
        ([5.0, 5.5, 6.0], 6.0 + RATE_SECONDS + 0.1, 0),
        ([5.0, 5.0], 5.0, 0),  # a clock too coarse to tell
    ],
)
def test_rate_is_that_of_the_last_seconds(moments, now, rate):
    counter = Rate()
    for moment in moments:
        counter.count(moment)
    assert counter.per_second(now) == pytest.approx(rate)


def test_rate_knows_whether_anything_happened():
    counter = Rate()
    assert not counter.has_counted
    counter.count(1.0)
    assert counter.has_counted
