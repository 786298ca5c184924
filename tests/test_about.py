"""What people write about a run: tidied, limited, and never in the way of the run itself."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_core.errors import BadInput
from emotion_core.presets import find_preset
from emotion_core.runs import About, Run, Runs, State, summarise


@pytest.fixture
def run(runs_folder: Path) -> Run:
    return Runs(runs_folder).create(find_preset("sgd").config)


def test_what_was_typed_is_tidied():
    about = About.as_typed("  Best\n so  far ", "\n First\n second \n\n", ["  a   tag ", "", "a tag", " ", "b"])
    assert about == About(name="Best so far", notes="First\n second", tags=("a tag", "b"))


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (("x" * 500, "", []), "The name has 500 characters; at most 200 fit."),
        (("", "x" * 10_001, []), "The text of the notes has 10,001 characters; at most 10,000 fit."),
        (("", "", ["x" * 41]), "A tag has 41 characters; at most 40 fit."),
        (("", "", [str(number) for number in range(21)]), "There are 21 tags; a run may have at most 20."),
    ],
)
def test_what_is_too_long_is_refused_in_a_sentence(typed, sentence):
    with pytest.raises(BadInput) as refusal:
        About.as_typed(*typed)
    assert str(refusal.value) == sentence


def test_a_name_replaces_the_one_of_the_submission_until_it_is_emptied(run):
    assert run.name == "Linear baseline"
    run.write_about(About(name="Mine"))
    assert (run.name, summarise(run).name) == ("Mine", "Mine")
    run.write_about(About())
    assert (run.name, summarise(run).name) == ("Linear baseline", "Linear baseline")


def test_the_settings_stay_as_they_were_submitted(run):
    before = (run.folder / "config.json").read_bytes()
    run.write_about(About(name="Mine", notes="Mine", tags=("mine",)))
    assert (run.folder / "config.json").read_bytes() == before


@given(content=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_damage_to_it_is_passed_over(run, content):
    (run.folder / "about.json").write_bytes(content)
    assert run.about() == About()
    assert summarise(run).state is State.QUEUED


@given(name=st.text(max_size=200), notes=st.text(max_size=500), tags=st.lists(st.text(max_size=40), max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_whatever_fits_is_read_back(run, name, notes, tags):
    run.write_about(about := About.as_typed(name, notes, tags))
    assert run.about() == about
    assert sorted(path.name for path in run.folder.parent.iterdir()) == [run.id]
