from pathlib import Path

import pytest

from emotion_core import settings

FOLDERS = {
    "EMOTION_RUNS": settings.runs_folder,
    "EMOTION_DATA": settings.data_folder,
    "EMOTION_CACHE": settings.cache_folder,
}


@pytest.mark.parametrize("variable", FOLDERS)
def test_an_environment_variable_moves_the_folder(monkeypatch, tmp_path, variable):
    monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert FOLDERS[variable]() == tmp_path / "elsewhere"


def test_runs_and_data_lie_in_the_project_unless_moved(monkeypatch):
    for variable in FOLDERS:
        monkeypatch.delenv(variable, raising=False)
    project = Path(__file__).resolve().parent.parent
    assert settings.runs_folder() == project / "trained"
    assert settings.data_folder() == project / "data"
    assert project not in settings.cache_folder().parents


def test_the_upload_limit_of_the_browser_is_that_of_the_library():
    config = (settings.PROJECT / ".streamlit" / "config.toml").read_text()
    assert f"maxUploadSize = {settings.MAX_UPLOAD_BYTES // 2**20}" in config
