from pathlib import Path

import pytest

from footfall_core.settings import BadSettings, Settings


def test_empty_urls_become_the_embedded_defaults(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, clickhouse_port=28123, auth_port=9002)

    assert settings.event_log_url == f"sqlite:///{tmp_path}/events.log.db"
    assert settings.clickhouse_url == "http://127.0.0.1:28123"
    assert settings.auth_url == "http://127.0.0.1:9002"
    assert settings.database_url_for("auth") == f"sqlite:///{tmp_path}/auth.db"


def test_environment_variables_win(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_EVENT_LOG_URL", "kafka://broker:9092/events")
    monkeypatch.setenv("FOOTFALL_DATABASE_URL", "postgresql+psycopg://db/footfall")

    settings = Settings()

    assert settings.event_log_url == "kafka://broker:9092/events"
    assert settings.database_url_for("auth") == settings.database_url_for("query")


def test_every_variable_in_error_is_named_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOOTFALL_CAPTURE_PORT", "abc")
    monkeypatch.setenv("FOOTFALL_TRUSTED_PROXIES", "10.0.0.0/8, somewhere")
    monkeypatch.setenv("FOOTFALL_LOG_FORMAT", "xml")

    with pytest.raises(BadSettings) as raised:
        Settings.read()
    assert str(raised.value).split("; ") == [
        "FOOTFALL_CAPTURE_PORT: Input should be a valid integer, unable to parse string as an integer",
        "FOOTFALL_TRUSTED_PROXIES: Input is not a valid IPv4 network",
        "FOOTFALL_LOG_FORMAT: String should match pattern '^(text|json)$'",
    ]


def test_a_short_secret_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="FOOTFALL_SECRET_KEY"):
        Settings(secret_key="short").require_secret_key()  # type: ignore[arg-type]


def test_a_directory_with_signs_of_a_url_in_its_name_works(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "100% #1?")

    assert settings.event_log_url.endswith("/100%25%20%231%3F/events.log.db")
