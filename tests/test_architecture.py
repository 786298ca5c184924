"""The plan of the house in `docs/architecture.md` as a test: who may import whom."""

import ast
import graphlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent

LAYER = re.compile(r"^\| (ground|terms|material|work|processes|transport|top) \| (.*) \|$", re.MULTILINE)


def layers() -> list[set[str]]:
    """Read the table of layers in `docs/architecture.md`, ground floor first; its top has floors, between `then`."""
    text = (PROJECT / "docs" / "architecture.md").read_text(encoding="utf-8")
    floors = [floor for _, cell in LAYER.findall(text) for floor in cell.split(", then ")]
    return [set(re.findall(r"`(\w+)`", floor)) for floor in reversed(floors)]


LAYERS = layers()
"""The modules of the core. A module imports from its own layer and those below it."""

KERAS_SIDE = {
    "emotion_core.batches",
    "emotion_core.callbacks",
    "emotion_core.export",
    "emotion_core.models.build",
    "emotion_core.models.cnn",
    "emotion_core.models.dense",
    "emotion_core.models.gru",
    "emotion_core.models.residual",
    "emotion_core.models.output",
    "emotion_core.models.saved",
    "emotion_core.models.unfolded",
    "emotion_core.trainers.backend",
    "emotion_core.trainers.network",
    "emotion_core.trainers.network_classifier",
}
"""The only modules that may import Keras or a backend; all of them run in training processes."""

FRAMEWORKS = {"keras", "tensorflow", "jax", "torch"}


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (PROJECT / folder).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PROJECT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imports_of(path: Path) -> set[str]:
    """Return the full names of all modules that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are written in full"
            found.add(node.module or "")
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def top_names(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imports_of(path)}


def core_part(name: str) -> str | None:
    """Return "runs" for "emotion_core.runs.Run", None for anything outside the core."""
    parts = name.split(".")
    return parts[1] if parts[0] == "emotion_core" and len(parts) > 1 else None


CORE_FILES = python_files("emotion_core")
LEVELS = {part: level for level, layer in enumerate(LAYERS) for part in layer}


@pytest.mark.parametrize("path", CORE_FILES, ids=module_name)
def test_core_never_imports_streamlit_pages_or_ui(path):
    assert not top_names(path) & {"streamlit", "streamlit_webrtc", "pages", "ui", "app"}


@pytest.mark.parametrize("path", python_files("emotion_core", "ui", "pages"), ids=module_name)
def test_only_training_side_imports_keras_or_a_backend(path):
    if module_name(path) not in KERAS_SIDE:
        assert not top_names(path) & FRAMEWORKS


@pytest.mark.parametrize("path", CORE_FILES, ids=module_name)
def test_imports_in_the_core_go_down_only(path):
    own = core_part(module_name(path))
    if own is None:  # the package itself
        return
    imported = {core_part(name) for name in imports_of(path)} - {None, own}
    too_high = {part for part in imported & set(LEVELS) if LEVELS[part] > LEVELS[own]}
    assert not too_high, f"{own} imports {too_high} from above it"


def test_every_module_of_the_core_has_its_layer():
    parts = {core_part(module_name(path)) for path in CORE_FILES} - {None}
    assert parts == set(LEVELS)
    assert len(LAYERS) == 8
    assert sum(map(len, LAYERS)) == len(LEVELS)  # none stands on two floors


def test_the_core_has_no_import_cycle():
    modules = {module_name(path) for path in CORE_FILES}
    graph = {module_name(path): (imports_of(path) & modules) - {module_name(path)} for path in CORE_FILES}
    graphlib.TopologicalSorter(graph).prepare()  # raises CycleError


def test_engine_starts_training_and_never_imports_it():
    for path in python_files("emotion_core/engine"):
        assert not {name for name in imports_of(path) if core_part(name) in ("training", "trainers", "callbacks")}


@pytest.mark.parametrize("path", python_files("ui"), ids=module_name)
def test_ui_does_not_import_pages(path):
    assert not top_names(path) & {"pages", "app"}


@pytest.mark.parametrize("path", python_files("pages"), ids=module_name)
def test_pages_do_not_import_each_other(path):
    assert not top_names(path) & {"pages", "app"}


@pytest.mark.parametrize("path", [PROJECT / "app.py", *python_files("pages")], ids=lambda path: path.name)
def test_no_page_leaves_a_value_on_a_line_of_its_own(path):
    """Streamlit shows such values on the page; only the docstring at the top is spared."""
    _, *statements = ast.parse(path.read_text(encoding="utf-8")).body
    values = [statement.value for statement in statements if isinstance(statement, ast.Expr)]
    assert all(isinstance(value, ast.Call) for value in values)


def test_charts_take_data_and_give_figures_without_streamlit():
    assert "streamlit" not in top_names(PROJECT / "ui" / "charts.py")


def test_importing_the_serving_side_loads_no_framework():
    modules = [module_name(path) for path in CORE_FILES if path.name != "__main__.py"]
    light = [name for name in modules if name not in KERAS_SIDE and "trainers" not in name]
    code = (
        f"import importlib, sys\nfor name in {light!r}: importlib.import_module(name)\n"
        f"print(sorted({FRAMEWORKS!r} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True, timeout=120
    )
    assert answer.stdout.strip() == "[]"


@pytest.mark.parametrize("path", python_files("ui", "pages"), ids=module_name)
def test_pages_are_left_in_one_way_only(path):
    """Streamlit's own refuses where the address holds the value of a widget; `widgets.go_to` says what to do."""
    if module_name(path) != "ui.widgets":
        assert "switch_page" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", python_files("ui", "pages"), ids=module_name)
def test_what_is_run_without_its_page_says_itself_what_is_refused(path):
    """The page's own `friendly_errors` is not around a fragment or a dialog that is run again by itself."""
    for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(function, ast.FunctionDef):
            decorators = " ".join(ast.unparse(decorator) for decorator in function.decorator_list)
            assert "st.fragment" not in decorators or "friendly_errors()" in decorators, function.name
            assert "st.dialog" not in decorators or "friendly_errors()" in decorators, function.name
