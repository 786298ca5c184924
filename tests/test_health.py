"""What is wrong with a data set, on sets in which each fault was planted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_faces import (
    Change,
    brightened,
    constant,
    constant_but_one_pixel,
    dataset,
    draw,
    mirrored,
    nearly_constant,
    with_copies,
)

from emotion_core.dataset import Dataset, Rows
from emotion_core.doubts import doubt_labels
from emotion_core.duplicates import Pair
from emotion_core.health import (
    FINDINGS,
    Cleaning,
    CopyScores,
    Group,
    Health,
    copied_rows,
    examine,
    judge_copied,
    shared_faces,
)
from emotion_core.runs import Validation


@pytest.mark.parametrize("change", [np.zeros_like, constant, constant_but_one_pixel, nearly_constant])
def test_pictures_without_contrast_are_blank_and_no_duplicates_of_each_other(change: Change):
    images = draw(5)
    images[1] = images[4] = change(images[1])
    health = examine(dataset(images, [0, 1, 2, 3, 4]))
    assert health.blank.tolist() == [1, 4]
    assert (health.exact, health.near, health.contradictory) == ((), (), ())


def test_copies_make_a_group_however_many_they_are():
    health = examine(dataset(with_copies((0, 3), (0, 5), (1, 2)), [4] * 6))
    assert [group.rows for group in health.exact] == [(0, 3, 5), (1, 2)]
    assert health.near == ()
    assert health.contradictory == ()


def test_one_gray_level_in_one_pixel_makes_an_exact_duplicate_a_near_one():
    images = with_copies((0, 3))
    images[3, 10, 10] += 1
    health = examine(dataset(images))
    assert health.exact == ()
    assert [group.rows for group in health.near] == [(0, 3)]


@pytest.mark.parametrize(
    ("training", "validation", "crosses"),
    [([0, 1, 2], [3, 4, 5], True), ([0, 3, 5], [1, 2, 4], False), ([1, 2], [0, 3], False)],
    ids=["across", "within training", "within validation"],
)
def test_groups_say_whether_they_cross_the_split(training: list[int], validation: list[int], crosses: bool):
    split = Rows(np.array(training), np.array(validation))
    (group,) = examine(dataset(with_copies((0, 3))), split).exact
    assert group.crosses_split is crosses


def test_near_groups_take_in_exact_duplicates():
    images = with_copies((0, 3))
    images[4] = brightened(images[0])
    health = examine(dataset(images, [2] * 6))
    assert [group.rows for group in health.exact] == [(0, 3)]
    assert [group.rows for group in health.near] == [(0, 3, 4)]


def test_a_set_of_hundreds_of_like_pictures_is_one_group():
    noise = np.random.default_rng(0).integers(0, 4, (300, 48, 48), dtype=np.uint8)
    health = examine(dataset(draw(1) + noise))
    assert [len(group.rows) for group in health.near] == [300]
    assert len(health.pairs) < 300 * 299 / 4


@pytest.mark.parametrize("change", [np.copy, mirrored, brightened], ids=["copied", "mirrored", "brightened"])
def test_a_picture_under_two_labels_is_contradictory(change: Change):
    images = with_copies((0, 1))
    images[4] = change(images[3])
    (group,) = examine(dataset(images, [6, 6, 0, 5, 2, 0])).contradictory
    assert group == Group(rows=(3, 4), labels=(2, 5), crosses_split=False)


def test_a_near_group_stands_for_the_exact_ones_within_it():
    images = with_copies((0, 3), (1, 5))
    images[4] = brightened(images[0])
    split = Rows(training=np.array([3, 4, 1, 5]), validation=np.array([0, 2]))
    health = examine(dataset(images), split)
    assert [group.rows for group in health.repeated] == [(0, 3, 4), (1, 5)]
    assert [group.rows for group in health.across] == [(0, 3, 4)]


def test_copied_are_the_validation_faces_whose_picture_trains():
    groups = [Group((4, 9), (), True), Group((1, 2), (), False), Group((0, 2, 7, 9), (), True), Group((2, 5), (), True)]
    split = Rows(training=np.arange(4, 10), validation=np.arange(4))
    assert copied_rows(groups, split).tolist() == [0, 2]


def test_a_model_is_judged_apart_where_copies_trained():
    validation = Validation(np.array([5, 6, 7, 8]), np.zeros(4, np.uint8), np.eye(7, dtype=np.float32)[[0, 0, 1, 1]])
    assert judge_copied(validation, np.array([5])) == CopyScores(copied=1.0, others=pytest.approx(1 / 3), all=0.5)


@pytest.mark.parametrize("copied", [[], [5, 6], [9]], ids=["none", "all", "another's"])
def test_a_model_is_not_judged_where_there_is_nothing_to_compare(copied: list[int]):
    validation = Validation(np.array([5, 6]), np.zeros(2, np.uint8), np.eye(7, dtype=np.float32)[[0, 1]])
    assert judge_copied(validation, np.array(copied, np.int64)) is None


def test_a_near_contradiction_is_told_once_with_the_exact_one_inside_it():
    images = with_copies((0, 3))
    images[4] = brightened(images[0])
    (group,) = examine(dataset(images, [1, 0, 0, 2, 1, 0])).contradictory
    assert group.rows == (0, 3, 4)


def test_without_labels_copies_are_found_and_nothing_contradicts():
    health = examine(dataset(with_copies((0, 3))))
    assert [group.rows for group in health.exact] == [(0, 3)]
    assert health.contradictory == ()
    assert health.table()["label"].isna().all()
    assert health.rows_to_keep().tolist() == [0, 1, 2, 4, 5]


def test_a_sound_set_has_no_findings_and_is_kept_whole():
    health = examine(dataset(draw(40), [0, 1, 2, 3] * 10))
    assert health.counts() == dict.fromkeys(FINDINGS, 0)
    assert health.table().empty
    assert health.rows_to_keep().tolist() == list(range(40))


def test_progress_grows_to_the_whole():
    told: list[float] = []
    examine(dataset(draw(1_200)), progress=told.append)
    assert len(told) == 3
    assert told == sorted(told)
    assert told[-1] == 1


@pytest.fixture(scope="module")
def faulty() -> Dataset:
    """Row 2 is blank, 3 copies 0 with its label, 5 copies 1 with another label, 7 is like 6, 9 like 8 but labelled."""
    images = with_copies((0, 3), (1, 5), count=12)
    images[2] = 0
    images[7], images[9] = mirrored(images[6]), brightened(images[8])
    return dataset(images, [0, 1, 2, 0, 4, 5, 6, 6, 0, 1, 2, 3])


@pytest.fixture(scope="module")
def health(faulty: Dataset) -> Health:
    probabilities = np.eye(7, dtype=np.float32)[[2, 3, 4]]  # of rows 10, 11 and 4, all as labelled
    probabilities[1] = np.eye(7)[4]
    return examine(faulty).with_doubts(
        doubt_labels(np.array([2, 3, 4], np.uint8), probabilities, np.array([10, 11, 4]))
    )


NOTHING = Cleaning(drop_blank=False, merge_exact=False, merge_near=False, drop_contradictory=False, drop_doubted=False)


@pytest.mark.parametrize(
    ("cleaning", "dropped"),
    [
        (None, {1, 2, 3, 5}),
        (NOTHING, set()),
        (replace(NOTHING, drop_blank=True), {2}),
        (replace(NOTHING, merge_exact=True), {3}),
        (replace(NOTHING, merge_near=True), {7}),
        (replace(NOTHING, drop_contradictory=True), {1, 5}),
        (replace(NOTHING, merge_near=True, drop_contradictory=True), {1, 5, 7, 8, 9}),
        (replace(NOTHING, drop_doubted=True), {11}),
        (Cleaning(merge_near=True, drop_doubted=True), {1, 2, 3, 5, 7, 8, 9, 11}),
    ],
)
def test_a_cleaning_drops_what_it_says(health: Health, cleaning: Cleaning | None, dropped: set[int]):
    assert health.rows_to_keep(cleaning).tolist() == sorted(set(range(12)) - dropped)


def test_counts_are_of_rows(health: Health):
    assert list(health.counts().values()) == [1, 4, 4, 4, 1]


def test_the_table_has_a_line_for_each_row_of_each_finding(health: Health):
    table = health.table()
    assert table["finding"].value_counts().to_dict() == health.counts()
    contradictory = table[table["finding"] == "contradictory labels"]
    assert set(zip(contradictory["row"], contradictory["id"], contradictory["emotion"], strict=True)) == {
        (1, "face 1", "Disgust"),
        (5, "face 5", "Surprise"),
        (8, "face 8", "Angry"),
        (9, "face 9", "Disgust"),
    }
    doubted = table[table["finding"] == "doubted label"].iloc[0]
    assert table["crosses_split"].isna().sum() == 2  # a blank face and a doubted label are in no group
    assert (doubted["row"], doubted["emotion"], doubted["suggested"]) == (11, "Happy", "Sad")
    assert doubted["self_confidence"] == 0


def test_a_group_has_one_number_under_all_its_findings(health: Health):
    table = health.table().dropna(subset="group")
    assert table.groupby("group")["row"].agg(set).tolist() == [{0, 3}, {1, 5}, {6, 7}, {8, 9}]


def test_what_a_test_set_shares_with_a_training_set():
    train, test = draw(20), draw(9, seed=1)
    test[0], test[4], test[5] = train[3], train[3], mirrored(train[8])
    train[2] = test[7] = 0
    train[13] = train[12]  # which the test set has not
    train[11] = brightened(train[10])
    shared = shared_faces(dataset(train), dataset(test))
    assert shared.exact == (Pair(3, 0, 1.0, mirrored=False), Pair(3, 4, 1.0, mirrored=False))
    assert [(pair.first, pair.second, pair.mirrored) for pair in shared.near] == [(8, 5, True)]


def test_a_copy_of_one_picture_may_be_a_near_copy_of_another():
    train, test = draw(4), draw(2, seed=1)
    train[1] = brightened(train[0])
    test[1] = train[1]
    shared = shared_faces(dataset(train), dataset(test))
    assert [(pair.first, pair.second) for pair in shared.exact] == [(1, 1)]
    assert [(pair.first, pair.second) for pair in shared.near] == [(0, 1)]


def test_different_sets_share_nothing():
    shared = shared_faces(dataset(draw(8)), dataset(draw(8, seed=1)))
    assert (shared.exact, shared.near) == ((), ())


def test_images_may_be_mapped_into_memory(tmp_path: Path):
    np.save(tmp_path / "images.npy", with_copies((0, 3)))
    health = examine(dataset(np.load(tmp_path / "images.npy", mmap_mode="r")))
    assert [group.rows for group in health.exact] == [(0, 3)]


def test_a_set_of_blank_pictures_is_nothing_but_blank():
    health = examine(dataset(np.zeros((3, 48, 48), np.uint8), [0, 1, 2]))
    assert list(health.counts().values()) == [3, 0, 0, 0, 0]
    assert len(health.rows_to_keep()) == 0
