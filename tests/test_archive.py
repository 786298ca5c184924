"""Runs as zips: what goes out comes in the same, and nothing hostile comes in at all."""

import io
import json
import os
import stat
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from filelock import FileLock, Timeout
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emotion_core import export
from emotion_core.archive import (
    MAX_ARCHIVE_BYTES,
    is_being_prepared,
    loses_model,
    pack,
    prepare,
    unpack,
    why_not_prepared,
)
from emotion_core.archive.contents import LIMITS, look_into
from emotion_core.classifier import load_classifier
from emotion_core.config import with_settings
from emotion_core.errors import BadInput, DamagedRun, EmotionError
from emotion_core.models.counts import count_parameters
from emotion_core.presets import find_preset
from emotion_core.runs import About, Run, Runs, State, summarise
from tests.conftest import end_processes_of, save_finished_run
from tests.engine_helpers import wait_until

RUN_ID = "20260101-120000-sgd-0123abcd"
SMALL_NETWORK = with_settings(
    find_preset("dense-5").config, {"model.hidden_layers": 1, "model.first_units": 4, "name": "Small"}
)
HDF5 = b"\x89HDF\r\n\x1a\n"


@pytest.fixture
def runs(runs_folder: Path) -> Runs:
    return Runs(runs_folder)


@pytest.fixture
def elsewhere(tmp_path: Path) -> Runs:
    """The folder of runs of another machine."""
    return Runs(tmp_path / "elsewhere")


def packed(run: Run) -> bytes:
    file = io.BytesIO()
    pack(run, file)
    return file.getvalue()


def files_of(content: bytes) -> dict[str, bytes]:
    """The files in a zip by their names in the run's folder."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name.partition("/")[2]: archive.read(name) for name in archive.namelist()}


def zipped(files: dict[str, bytes], folder: str = RUN_ID) -> io.BytesIO:
    """A zip of files in one folder, with nothing checked."""
    return zip_of([(f"{folder}/{name}", content) for name, content in files.items()])


def zip_of(entries: list[tuple[str | zipfile.ZipInfo, bytes]]) -> io.BytesIO:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return target


@pytest.fixture(scope="module")
def linear_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of an exported linear run."""
    run = save_finished_run(Runs(tmp_path_factory.mktemp("exported")), name="Travelled")
    run.write_about(About(name="Renamed", notes="Two\nlines", tags=("a tag",)))
    return files_of(packed(run))


@pytest.fixture(scope="module")
def network_files(linear_files: dict[str, bytes]) -> dict[str, bytes]:
    """The files of an exported network, whose weights have the right size and no sense."""
    weights = HDF5 + bytes(4 * count_parameters(SMALL_NETWORK.model) + 2_000)
    parts = {"metadata.json": b"{}", "config.json": b"{}", "model.weights.h5": weights}
    saved = zip_of(list(parts.items())).getvalue()
    return {
        "config.json": SMALL_NETWORK.model_dump_json().encode(),
        "status.json": linear_files["status.json"],
        "model.keras": saved,
    }


# --- out and in ----------------------------------------------------------------------------------------------------


def test_a_run_comes_in_as_it_went_out(runs, elsewhere, tmp_path):
    run = save_finished_run(runs, name="Travelled", skill=0.8)
    run.write_about(About(name="Renamed", notes="Two\nlines", tags=("lecture", "äöü 😀")))
    pack(run, tmp_path / "run.zip")
    incoming = unpack(tmp_path / "run.zip", elsewhere)
    assert incoming.folder == elsewhere.folder / run.id
    assert incoming.config == run.config
    assert incoming.about() == run.about()
    assert incoming.status() == run.status()
    assert incoming.evaluation() == run.evaluation()
    assert incoming.history().equals(run.history())
    assert incoming.log_tail() == run.log_tail()
    assert np.array_equal(incoming.validation().probabilities, run.validation().probabilities)
    faces = np.random.default_rng(0).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    expected, found = (load_classifier(each).probabilities(faces) for each in (run, incoming))
    assert np.array_equal(expected, found)


def test_what_only_its_own_machine_needs_stays_there(runs):
    run = save_finished_run(runs)
    (run.folder / "checkpoint").mkdir()
    for name in ("checkpoint/epoch-000001.npz", "model.onnx", ".hidden", "lock"):
        (run.folder / name).write_bytes(b"x")
    assert set(files_of(packed(run))) <= set(LIMITS)


@pytest.mark.parametrize(
    ("files", "loses"),
    [((), False), (("model.keras",), False), (("model.onnx",), True), (("model.onnx", "model.keras"), False)],
)
def test_a_serving_copy_alone_cannot_be_carried(runs, files, loses):
    run = runs.create(SMALL_NETWORK)
    for name in files:
        (run.folder / name).touch()
    assert loses_model(run) is loses


def test_an_id_that_is_taken_gets_another_ending_and_the_old_run_stays(runs):
    run = save_finished_run(runs)
    first, second = (unpack(io.BytesIO(packed(run)), runs) for _ in range(2))
    assert len({run.id, first.id, second.id}) == 3
    assert {line.state for line in runs.summaries()} == {State.FINISHED}
    assert first.id.startswith(run.id[:15])


def test_an_imported_run_has_no_place_in_the_queue(runs, elsewhere):
    run = save_finished_run(runs)
    run.record(sequence=7)
    assert unpack(io.BytesIO(packed(run)), elsewhere).status().sequence == 0


def test_an_interrupted_run_goes_out_as_interrupted(runs, elsewhere):
    run = save_finished_run(runs)
    run.record(state=State.RUNNING)
    assert unpack(io.BytesIO(packed(run)), elsewhere).status().state is State.INTERRUPTED


def test_a_run_that_failed_at_once_can_be_carried_too(runs, elsewhere):
    run = runs.create(find_preset("sgd").config)
    run.record(state=State.FAILED, reason="No such file.")
    incoming = unpack(io.BytesIO(packed(run)), elsewhere)
    assert (incoming.status().state, incoming.status().reason) == (State.FAILED, "No such file.")


@pytest.mark.parametrize(("state", "has_scores"), [(State.INTERRUPTED, False), (State.FINISHED, True)])
def test_scores_stay_out_where_the_weights_are_of_a_later_epoch(runs, elsewhere, state, has_scores):
    run = save_finished_run(runs, epochs=6)
    run.record(state=state, epoch=9, best_epoch=8)
    incoming = unpack(io.BytesIO(packed(run)), elsewhere)
    assert (incoming.evaluation() is not None) is has_scores


@pytest.mark.parametrize("state", [State.QUEUED, State.RUNNING])
def test_a_run_that_is_not_over_is_not_exported(runs, state, tmp_path):
    run = runs.create(find_preset("sgd").config)
    with run.alive():
        run.record(state=state)
        with pytest.raises(BadInput, match="once it is over"):
            pack(run, tmp_path / "run.zip")
    assert not (tmp_path / "run.zip").exists()


def test_a_run_that_could_not_come_in_again_is_not_exported(runs, tmp_path):
    run = save_finished_run(runs)
    (run.folder / "validation.npz").write_bytes(b"damaged")
    with pytest.raises(BadInput, match=r"validation\.npz"):
        pack(run, tmp_path / "run.zip")
    (run.folder / "config.json").write_bytes(b"{")
    with pytest.raises(DamagedRun, match=r"config\.json"):
        pack(Run(run.folder), tmp_path / "run.zip")


def test_of_a_long_log_the_end_is_carried(runs, elsewhere):
    run = save_finished_run(runs)
    run.log_path.write_bytes(b"begin\n" + b"x" * LIMITS["log.txt"] + b"\nthe end\n")
    log = unpack(io.BytesIO(packed(run)), elsewhere).log_path.read_bytes()
    assert log.endswith(b"the end\n")
    assert len(log) == LIMITS["log.txt"]


def test_what_one_system_adds_to_its_zips_is_passed_over(linear_files, elsewhere):
    entries = [(f"{RUN_ID}/{name}", content) for name, content in linear_files.items()]
    litter = [(f"{RUN_ID}/", b""), (f"{RUN_ID}/.DS_Store", b"x"), (f"__MACOSX/{RUN_ID}/._config.json", b"x")]
    assert unpack(zip_of(litter + entries), elsewhere).id == RUN_ID


def test_the_path_of_another_machine_s_data_stays_a_text(linear_files, elsewhere):
    config = json.loads(linear_files["config.json"])
    config["data"]["source"] = r"\\server\share\faces.csv"
    incoming = unpack(zipped(linear_files | {"config.json": json.dumps(config).encode()}), elsewhere)
    assert summarise(incoming).data == "faces.csv"
    assert summarise(incoming).state is State.FINISHED


def test_lines_that_are_no_rows_of_numbers_do_not_come_in(linear_files, elsewhere):
    header, first, *_ = linear_files["history.csv"].decode().splitlines()
    odd = ["=cmd()," * 6 + "1", "2,1,1", "1e308,1,1,1,1,1,1", "0,1,1,1,1,1,1", "1.5,1,1,1,1,1,1", "nan,1,1,1,1,1,1"]
    content = "\n".join([header, first, *odd, '"2",1,1,1,1,1,1']).encode()
    incoming = unpack(zipped(linear_files | {"history.csv": content}), elsewhere)
    assert (incoming.folder / "history.csv").read_text().splitlines() == [header, first]


# --- refused -------------------------------------------------------------------------------------------------------


def refused(file: io.BytesIO, runs: Runs) -> str:
    """The sentence with which a zip is refused; nothing of it may be left."""
    with pytest.raises(BadInput) as refusal:
        unpack(file, runs)
    left = [path for path in runs.folder.iterdir() if path.name != ".engine"] if runs.folder.exists() else []
    assert left == []
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../config.json",
        f"{RUN_ID}/../../config.json",
        f"{RUN_ID}\\config.json",
        "C:/config.json",
        f"C:\\{RUN_ID}\\config.json",
        f"{RUN_ID}/checkpoint/epoch-000001.npz",
        f"{RUN_ID}/config.json/",
        f"{RUN_ID}/CONFIG.JSON",
        f"{RUN_ID}/config.json ",
        f"{RUN_ID}/model.onnx",
        f"{RUN_ID}/model.pkl",
        f"{RUN_ID}/lock",
        f"{RUN_ID}/stop",
        f"{RUN_ID}/.hidden",
        f"{RUN_ID}//config.json",
        "config.json",
        ".engine/worker.pid",
        ".new-20260101-120000-sgd-0123/config.json",
        "CON/config.json",
        "20260101-120000-../config.json",
        "20260101-120000-sgd-0123ABCD/config.json",
        f"20260101-120000-{'x' * 61}/config.json",
        "٢٠٢٦٠١٠١-١٢٠٠٠٠-sgd-0123/config.json",  # digits of another script
        f"{RUN_ID}\n/config.json",
        "x" * 500,
        "",
        "/",
    ],
)
def test_a_name_that_no_exported_run_has_is_refused_by_name(linear_files, elsewhere, name):
    entries = [(f"{RUN_ID}/{known}", content) for known, content in linear_files.items()]
    sentence = refused(zip_of([*entries, (zipfile.ZipInfo(name), b"{}")]), elsewhere)
    assert repr(name[:80]) in sentence


def test_a_name_with_a_nul_is_refused(linear_files, elsewhere):
    content = zipped(linear_files).getvalue().replace(b"/about.json", b"/about\0json")
    assert "invalid file name" in refused(io.BytesIO(content), elsewhere)


def test_two_runs_in_one_zip_are_refused(linear_files, elsewhere):
    entries = [(f"{folder}/{n}", c) for folder in (RUN_ID, RUN_ID + "0") for n, c in linear_files.items()]
    assert "holds 2 runs" in refused(zip_of(entries), elsewhere)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_is_refused(linear_files, elsewhere):
    entries = [(f"{RUN_ID}/{name}", content) for name, content in linear_files.items()]
    assert "'log.txt'" in refused(zip_of([*entries, (f"{RUN_ID}/log.txt", b"")]), elsewhere).replace(f"{RUN_ID}/", "")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices_are_refused(linear_files, elsewhere, kind):
    link = zipfile.ZipInfo(f"{RUN_ID}/log.txt")
    link.external_attr = (kind | 0o777) << 16
    entries = [(f"{RUN_ID}/{name}", content) for name, content in linear_files.items() if name != "log.txt"]
    assert "log.txt' in The zip is a link or a device" in refused(zip_of([*entries, (link, b"/etc/passwd")]), elsewhere)


def test_encrypted_files_are_refused(linear_files, elsewhere):
    content = bytearray(zipped(linear_files).getvalue())
    content[content.rindex(b"PK\1\2") + 8] |= 1
    assert "is encrypted" in refused(io.BytesIO(bytes(content)), elsewhere)


def test_an_unusual_compression_is_refused(linear_files, elsewhere):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr(f"{RUN_ID}/config.json", linear_files["config.json"])
    assert "unsupported compression" in refused(file, elsewhere)


@pytest.mark.parametrize("name", [name for name in LIMITS if name not in ("model.keras", "validation.npz")])
def test_a_file_beyond_its_limit_is_refused(linear_files, elsewhere, name):
    bomb = linear_files | {name: bytes(LIMITS[name] + 1)}
    sentence = refused(zipped(bomb), elsewhere)
    assert name in sentence
    assert f"{LIMITS[name]:,} bytes" in sentence


def test_a_bomb_that_lies_about_its_size_is_not_believed(linear_files, elsewhere):
    """Its list of entries says ten bytes; a gigabyte of zeros would come out."""
    bomb = bytearray(zipped(linear_files | {"log.txt": bytes(50 * 2**20)}).getvalue())
    place = bomb.index(b"PK\1\2")
    while b"log.txt" not in bomb[place + 46 : place + 46 + 100].partition(b"PK")[0]:
        place = bomb.index(b"PK\1\2", place + 1)
    struct.pack_into("<L", bomb, place + 24, 10)
    assert "log.txt" in refused(io.BytesIO(bytes(bomb)), elsewhere)


def test_a_bomb_inside_the_probabilities_is_refused(linear_files, elsewhere):
    nested = zip_of([("rows.npy", bytes(257 * 2**20)), ("labels.npy", b""), ("probabilities.npy", b"")]).getvalue()
    assert len(nested) < 2**20
    assert "rows.npy' in validation.npz" in refused(zipped(linear_files | {"validation.npz": nested}), elsewhere)


def test_a_list_of_very_many_entries_is_not_even_parsed(elsewhere):
    file = zip_of([(f"{RUN_ID}/{number}", b"") for number in range(3_000)])
    assert "not a complete zip file" in refused(file, elsewhere)


def test_a_list_of_entries_that_stands_elsewhere_is_refused(linear_files, elsewhere):
    """A locator of a second list, hidden in the first: zipfile would follow it."""
    content = bytearray(zipped(linear_files).getvalue())
    end = len(content) - 22
    content[end:end] = struct.pack("<4sLQL", b"PK\6\7", 0, 0, 1)
    struct.pack_into("<L", content, len(content) - 10, struct.unpack_from("<L", content, len(content) - 10)[0] + 20)
    assert "not a complete zip file" in refused(io.BytesIO(bytes(content)), elsewhere)


def test_a_file_that_is_too_large_in_all_is_refused_unread(elsewhere, tmp_path):
    path = tmp_path / "large.zip"
    with path.open("wb") as file:
        file.truncate(MAX_ARCHIVE_BYTES + 1)
    with pytest.raises(BadInput, match=r"large\.zip has .* bytes"):
        unpack(path, elsewhere)


@pytest.mark.parametrize("content", [b"", b"PK", b"not a zip at all" * 100, b"PK\5\6" + bytes(18)])
def test_what_is_no_zip_is_refused(elsewhere, content):
    refused(io.BytesIO(content), elsewhere)


def test_a_truncated_zip_is_refused(linear_files, elsewhere):
    whole = zipped(linear_files).getvalue()
    for share in (0.1, 0.5, 0.9, 0.999):
        refused(io.BytesIO(whole[: round(share * len(whole))]), elsewhere)


def test_a_file_that_cannot_be_opened_is_refused(elsewhere, tmp_path):
    with pytest.raises(BadInput, match=r"gone\.zip cannot be read"):
        unpack(tmp_path / "gone.zip", elsewhere)
    with pytest.raises(BadInput, match="cannot be read"):
        unpack(tmp_path, elsewhere)


@pytest.mark.parametrize("name", ["config.json", "status.json"])
def test_a_run_without_its_settings_or_status_is_refused(linear_files, elsewhere, name):
    rest = {known: content for known, content in linear_files.items() if known != name}
    assert "not an exported run" in refused(zipped(rest), elsewhere)


@pytest.mark.parametrize("state", ["queued", "running", "stopping", "damaged"])
def test_a_run_that_was_not_over_is_refused(linear_files, elsewhere, state):
    status = json.loads(linear_files["status.json"]) | {"state": state}
    assert state in refused(zipped(linear_files | {"status.json": json.dumps(status).encode()}), elsewhere)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("config.json", {"schema_version": 2}),
        ("config.json", {"surprise": 1}),
        ("config.json", {"name": "x" * 201}),
        ("config.json", {"training": {"epochs": 10**9}}),
        ("config.json", {"model": {"family": "pickle"}}),
        ("status.json", {"epoch": -1}),
        ("status.json", {"epochs": 10**400}),
        ("status.json", {"submitted": 1e300}),
        ("status.json", {"submitted": -1}),
        ("status.json", {"started": float("nan")}),
        ("status.json", {"seconds": float("inf")}),
        ("status.json", {"state": "asleep"}),
        ("about.json", {"name": "x" * 201}),
        ("about.json", {"tags": ["x"] * 21}),
        ("about.json", {"html": "<b>"}),
        ("evaluation.json", {"seconds": float("inf")}),
        ("status.json", {"seconds": 1e308}),
        ("status.json", {"images_per_second": -1}),
        ("status.json", {"best_val_accuracy": 2}),
        ("evaluation.json", {"seconds": 1e20}),
        ("evaluation.json", {"accuracy": 1e200}),
        ("evaluation.json", {"macro_f1": -0.1}),
        ("evaluation.json", {"loss": 1e200}),
        ("evaluation.json", {"images": 0}),
        ("evaluation.json", {"images": 7_654_321}),
        ("evaluation.json", {"temperature": 1e-300}),
        ("evaluation.json", {"accuracy": "<b>"}),
        ("evaluation.json", {"confusion": [[1]]}),
        ("evaluation.json", {"confusion": [[-1] * 7] * 7}),
        ("evaluation.json", {"per_class": {}}),
        ("evaluation.json", {"parameters": 10**400}),
    ],
)
def test_documents_with_impossible_values_are_refused(linear_files, elsewhere, name, changes):
    document = json.loads(linear_files[name]) | changes
    assert name in refused(zipped(linear_files | {name: json.dumps(document).encode()}), elsewhere)


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 60_000, b"\xff\xfe", b'{"name": "\\ud800"}', b"null"])
@pytest.mark.parametrize("name", ["config.json", "status.json", "about.json", "evaluation.json"])
def test_documents_that_are_none_are_refused(linear_files, elsewhere, name, content):
    assert name in refused(zipped(linear_files | {name: content}), elsewhere)


# --- arrays and weights --------------------------------------------------------------------------------------------


def npz(**arrays: object) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


ROWS, LABELS = np.arange(5, dtype=np.int32), np.zeros(5, np.uint8)
SHARES = np.full((5, 7), 1 / 7, np.float32)
COEFFICIENTS, INTERCEPTS, TEMPERATURE = np.zeros((7, 2304), np.float32), np.zeros(7, np.float32), np.float32(1)


class Payload:
    """Unpickled, it would write a file."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(Path(tempfile.gettempdir()) / "unpickled-by-an-import"),)


@pytest.mark.parametrize(
    "arrays",
    [
        {"rows": ROWS[:4], "labels": LABELS, "probabilities": SHARES},
        {"rows": ROWS, "labels": LABELS[:4], "probabilities": SHARES},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES[:4]},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES[:, :6]},
        {"rows": ROWS, "labels": LABELS + np.uint8(7), "probabilities": SHARES},
        {"rows": ROWS - 1, "labels": LABELS, "probabilities": SHARES},
        {"rows": ROWS + np.int64(2**40), "labels": LABELS, "probabilities": SHARES},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES * np.nan},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES * np.inf},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES * 40},
        {"rows": ROWS.astype(float), "labels": LABELS, "probabilities": SHARES},
        {"rows": ROWS, "labels": LABELS.astype("U1"), "probabilities": SHARES},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES.astype(complex)},
        {"rows": ROWS[:0], "labels": LABELS[:0], "probabilities": SHARES[:0]},
        {"rows": np.int32(1), "labels": np.uint8(1), "probabilities": np.float32(1)},
        {"rows": ROWS, "labels": LABELS},
        {"rows": ROWS, "labels": LABELS, "probabilities": SHARES, "more": SHARES},
        {"rows": np.array([Payload()] * 5, object), "labels": LABELS, "probabilities": SHARES},
    ],
)
def test_probabilities_that_do_not_belong_together_are_refused(linear_files, elsewhere, arrays):
    assert "validation.npz" in refused(zipped(linear_files | {"validation.npz": npz(**arrays)}), elsewhere)
    assert not (Path(tempfile.gettempdir()) / "unpickled-by-an-import").exists()


@pytest.mark.parametrize(
    "arrays",
    [
        {"coefficients": COEFFICIENTS.T, "intercepts": INTERCEPTS, "temperature": TEMPERATURE},
        {"coefficients": COEFFICIENTS, "intercepts": INTERCEPTS[:6], "temperature": TEMPERATURE},
        {"coefficients": COEFFICIENTS, "intercepts": INTERCEPTS, "temperature": INTERCEPTS},
        {"coefficients": COEFFICIENTS * np.nan, "intercepts": INTERCEPTS, "temperature": TEMPERATURE},
        {"coefficients": COEFFICIENTS, "intercepts": INTERCEPTS, "temperature": np.float32(0)},
        {"coefficients": COEFFICIENTS.astype("S4"), "intercepts": INTERCEPTS, "temperature": TEMPERATURE},
        {"coefficients": COEFFICIENTS.astype(object), "intercepts": INTERCEPTS, "temperature": TEMPERATURE},
        {"coefficients": COEFFICIENTS, "intercepts": INTERCEPTS},
    ],
)
def test_other_things_than_a_linear_model_s_weights_are_refused(linear_files, elsewhere, arrays):
    assert "linear.npz" in refused(zipped(linear_files | {"linear.npz": npz(**arrays)}), elsewhere)


@pytest.mark.parametrize(
    "header",
    [
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (-1, -4), }",
        b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
        b"{'descr': '|V0', 'fortran_order': False, 'shape': (5,), }",
        b"__import__('os').mkdir('unpickled')",
        b"(" * 5_000,
    ],
)
def test_an_array_whose_header_lies_is_refused(linear_files, elsewhere, header):
    lying = b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + bytes(16)
    arrays = {"rows": lying, "labels": lying, "probabilities": lying}
    content = zip_of([(f"{name}.npy", array) for name, array in arrays.items()]).getvalue()
    assert "validation.npz" in refused(zipped(linear_files | {"validation.npz": content}), elsewhere)


def test_a_network_s_file_is_kept_byte_by_byte(network_files):
    assert look_into(zipped(network_files), "run.zip").network == network_files["model.keras"]


@pytest.mark.parametrize(
    "entries",
    [
        {"metadata.json": b"", "config.json": b"", "model.weights.h5": HDF5},
        {"metadata.json": b"", "config.json": b"", "model.weights.h5": b"\x80\x04" + bytes(40_000)},
        {"metadata.json": b"", "config.json": b"", "model.weights.h5": HDF5 + bytes(5 * 2**20)},
        {"metadata.json": b"", "config.json": b""},
        {"metadata.json": b"", "config.json": b"", "model.weights.h5": HDF5 + bytes(40_000), "assets/x": b""},
        {"metadata.json": b"", "config.json": b"", "model.weights.npz": HDF5 + bytes(40_000)},
    ],
)
def test_other_things_than_this_network_s_weights_are_refused(network_files, elsewhere, entries):
    files = network_files | {"model.keras": zip_of(list(entries.items())).getvalue()}
    assert "model.keras" in refused(zipped(files), elsewhere)


def test_a_model_of_another_family_is_refused(linear_files, network_files, elsewhere):
    assert "linear model" in refused(zipped(linear_files | {"model.keras": network_files["model.keras"]}), elsewhere)
    assert "dense model" in refused(zipped(network_files | {"linear.npz": linear_files["linear.npz"]}), elsewhere)


# --- anything at all -----------------------------------------------------------------------------------------------


def take_in(content: bytes) -> None:
    """Import bytes into a folder of its own: a sound run comes of it, or a refusal, and nothing else is written."""
    with tempfile.TemporaryDirectory() as around:
        runs = Runs(Path(around) / "runs")
        runs.folder.mkdir()
        with suppress(BadInput):
            unpack(io.BytesIO(content), runs)
        for run in runs.all():
            assert summarise(run).state.is_over
            assert summarise(run).state is not State.DAMAGED
        assert len(list(runs.folder.iterdir())) == len(runs.all()) <= 1
        assert list(Path(around).iterdir()) == [runs.folder]


many = settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(content=st.binary(max_size=2_000))
@many
def test_no_bytes_come_in(content):
    take_in(content)


@given(data=st.data())
@many
def test_no_change_to_a_zip_does_harm(linear_files, data):
    content = bytearray(zipped(linear_files).getvalue())
    length = len(content)
    tail = st.integers(max(0, length - 1_500), length - 1)  # the list of entries, where a byte matters most
    for place, byte in data.draw(
        st.lists(st.tuples(tail | st.integers(0, length - 1), st.integers(0, 255)), max_size=8)
    ):
        content[place] = byte
    take_in(bytes(content[: data.draw(st.just(length) | st.integers(0, length))]))


@given(data=st.data(), name=st.sampled_from([name for name in LIMITS if name != "model.keras"]))
@many
def test_no_change_to_a_file_in_it_does_harm(linear_files, name, data):
    content = bytearray(linear_files.get(name, b""))
    cut = data.draw(st.integers(0, len(content)))
    for place, byte in data.draw(st.lists(st.tuples(st.integers(0, max(0, len(content) - 1)), st.integers(0, 255)))):
        content[place : place + 1] = bytes([byte])
    take_in(
        zipped(
            linear_files | {name: bytes(data.draw(st.sampled_from([content, content[:cut], content[cut:]])))}
        ).getvalue()
    )


def test_a_folder_that_cannot_be_written_to_is_said(linear_files, tmp_path):
    """A file stands where the folder of runs should be."""
    (tmp_path / "occupied").write_bytes(b"")
    with pytest.raises(EmotionError, match="could not be saved"):
        unpack(zipped(linear_files), Runs(tmp_path / "occupied"))


def test_a_model_is_being_prepared_for_as_long_as_a_process_makes_its_serving_copy(finished_run):
    finished_run.linear_path.unlink()
    assert not is_being_prepared(finished_run)
    with FileLock(Runs(finished_run.folder.parent).engine_folder / "export.lock"):
        prepare(finished_run)
        wait_until(lambda: is_being_prepared(finished_run))
        end_processes_of(finished_run.folder)
    wait_until(lambda: not is_being_prepared(finished_run))


def test_why_a_model_was_not_prepared_is_said_whole_however_long_it_is(finished_run):
    log = Runs(finished_run.folder.parent).engine_folder / f"prepare-{finished_run.id}.log"
    assert why_not_prepared(finished_run) == ""
    sentence = f"{'/a-long-name' * 30}/model.keras does not hold a network."
    log.write_text(f"A line.\n{sentence}\n", encoding="utf-8")
    assert why_not_prepared(finished_run) == sentence


def test_serving_copies_are_made_one_after_the_other(finished_run, monkeypatch):
    """Thirty runs that come in at once would take the memory of thirty frameworks."""
    looked = []

    def look(run: Run, temperature: float) -> None:
        with pytest.raises(Timeout):
            FileLock(Runs(run.folder.parent).engine_folder / "export.lock").acquire(timeout=0)
        looked.append(run.id)

    monkeypatch.setattr(export, "export_onnx", look)
    monkeypatch.setattr(sys, "argv", ["export", str(finished_run.folder)])
    export.main()
    assert looked == [finished_run.id]
