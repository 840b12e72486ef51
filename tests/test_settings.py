"""Settings: file < environment < arguments; what is wrong is named."""

import pytest

from studio import credentials
from studio.errors import StudioError
from studio.settings import Settings, default_home, load_settings


def test_defaults(tmp_path):
    assert load_settings(tmp_path) == Settings(home=tmp_path)


def test_order_of_sources(tmp_path, monkeypatch):
    (tmp_path / "studio.toml").write_text('region = "eu-west-1"\nport = 1\ncpu_slots = 2\n')
    monkeypatch.setenv("STUDIO_PORT", "2")
    found = load_settings(tmp_path, cpu_slots=3, host=None)
    assert (found.region, found.port, found.cpu_slots, found.host) == (
        "eu-west-1",
        2,
        3,
        "127.0.0.1",
    )


def test_whole_numbers_do_for_seconds(tmp_path):
    (tmp_path / "studio.toml").write_text("job_stop_seconds = 5")
    assert load_settings(tmp_path).job_stop_seconds == 5.0


@pytest.mark.parametrize(
    ("text", "named"),
    [("x = 1", "'x'"), ('port = "1"', "port"), ("port = true", "port"), ("port", "TOML")],
)
def test_mistakes_in_the_file_are_named(tmp_path, text, named):
    (tmp_path / "studio.toml").write_text(text)
    with pytest.raises(StudioError, match=named):
        load_settings(tmp_path)


def test_mistakes_in_the_environment_are_named(tmp_path, monkeypatch):
    monkeypatch.setenv("STUDIO_PORT", "many")
    with pytest.raises(StudioError, match="STUDIO_PORT"):
        load_settings(tmp_path)


def test_home_follows_the_variable(monkeypatch, tmp_path):
    monkeypatch.setenv("STUDIO_HOME", str(tmp_path))
    assert default_home() == tmp_path
    monkeypatch.delenv("STUDIO_HOME")
    assert default_home().name == "studio"


@pytest.mark.parametrize("text", ["", "[]", '{"access_key_id": "HIDDEN"}', '{"HIDDEN": 1, "a"'])
def test_a_file_that_holds_no_key_is_named(tmp_path, text):
    path = tmp_path / "credentials.json"
    path.write_text(text)
    with pytest.raises(StudioError, match=f"{path} must be") as told:
        credentials.load_or_create(tmp_path)
    assert "HIDDEN" not in str(told.value)
    path.unlink()
    assert credentials.load_or_create(tmp_path) == credentials.load_or_create(tmp_path)


def test_a_key_of_ones_own_is_taken(tmp_path):
    text = '{"access_key_id": "MINE", "secret_access_key": "hidden", "note": "for MinIO"}'
    (tmp_path / "credentials.json").write_text(text)
    found = credentials.load_or_create(tmp_path)
    assert (found.access_key_id, found.secret_access_key) == ("MINE", "hidden")
