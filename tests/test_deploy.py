"""What can be known of the deployment without Docker: files fit together, names are real, only the front is open."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from footfall_capture.settings import CaptureSettings
from footfall_consumer.settings import ConsumerSettings
from footfall_core.clickhouse import ClickHouse
from footfall_core.eventlog.kafka import parse_url
from footfall_core.settings import Settings
from footfall_embedded.testing import running_bridge
from footfall_query.settings import QuerySettings

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "infrastructure"
COMPOSE: dict[str, Any] = yaml.safe_load((FOLDER / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
IMAGES = {name: service["build"]["dockerfile"] for name, service in SERVICES.items() if "build" in service}
BUILT = {name: dockerfile for name, dockerfile in IMAGES.items() if name != "dashboard"}
"""Those of the Python services. The dashboard's are pages in an nginx, and have tests of their own."""
PORTS = {"capture": 8000, "query": 8001, "auth": 8002, "consumer": 8003}
SETTINGS = {
    f"FOOTFALL_{field.upper()}"
    for cls in (Settings, CaptureSettings, ConsumerSettings, QuerySettings)
    for field in cls.model_fields
}


def test_only_the_front_is_published() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["front"]
    assert [
        name for name, service in SERVICES.items() if service.get("network_mode") or service.get("privileged")
    ] == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_watched_and_cannot_fill_the_disk(name: str) -> None:
    service = SERVICES[name]
    if "image" in service:
        assert re.search(r":v?\d+\.\d+", service["image"]), "an image without a version is another one tomorrow"
    dockerfile = (ROOT / IMAGES[name]).read_text() if name in IMAGES else ""
    assert name == "migrate" or "healthcheck" in service or "HEALTHCHECK" in dockerfile
    assert service["logging"]["options"] == {"max-size": "20m", "max-file": "5"}
    for other in service.get("depends_on", {}):
        assert other in SERVICES
    for volume in service.get("volumes", []):
        source = volume.split(":")[0]
        assert (FOLDER / source).is_file() if source.startswith(".") else source in COMPOSE["volumes"]


@pytest.mark.parametrize("name", BUILT)
def test_a_dockerfile_copies_what_is_there_and_starts_what_is_installed(name: str) -> None:
    text = (ROOT / BUILT[name]).read_text()
    copied = re.findall(r"^COPY (?!--)(\S+) ", text, re.MULTILINE)
    assert [path for path in copied if not (ROOT / path).exists()] == []
    assert set(re.findall(r" \"?\./([\w/-]+)", text)) <= set(copied)
    assert re.search(r"^FROM python:3\.\d+\.\d+-slim", text, re.MULTILINE)
    assert "USER 10001" in text
    if name in PORTS:
        assert f"EXPOSE {PORTS[name]}\n" in text
        assert f"127.0.0.1:{PORTS[name]}/readyz" in text
        scripts = (ROOT / Path(BUILT[name]).parent / "pyproject.toml").read_text()
        [command] = re.findall(r'^CMD \["([\w-]+)"\]', text, re.MULTILINE)
        assert f"\n{command} = " in scripts


def test_the_settings_are_ours() -> None:
    known = SETTINGS | {"FOOTFALL_CAPTURE_URL", "FOOTFALL_QUERY_URL"}  # the command line's
    for name in BUILT:
        given = SERVICES[name]["environment"]
        assert {each for each in given if each.startswith("FOOTFALL_")} <= known
        assert parse_url(given["FOOTFALL_EVENT_LOG_URL"]).client["bootstrap.servers"] == "kafka:9092"
        assert ":18123" in given["FOOTFALL_CLICKHOUSE_URL"]


def test_what_must_be_filled_in_is_in_the_example() -> None:
    text = (FOLDER / "docker-compose.yml").read_text()
    wanted = set(re.findall(r"\$\{(\w+)", text))

    assert wanted <= set(re.findall(r"^#? ?(\w+)=", (FOLDER / "example.env").read_text(), re.MULTILINE))
    assert "FOOTFALL_SECRET_KEY: ${FOOTFALL_SECRET_KEY:?}" in text


def test_prometheus_looks_at_every_service() -> None:
    config = yaml.safe_load((FOLDER / "prometheus" / "prometheus.yml").read_text())
    text = yaml.dump(config)

    assert {job["job_name"] for job in config["scrape_configs"]} == {f"footfall-{name}" for name in PORTS}
    assert all(f"{name}:{port}" in text for name, port in PORTS.items() if name != "consumer")


@pytest.fixture(scope="module")
def clickhouse() -> Iterator[ClickHouse]:
    with running_bridge() as url:
        client = ClickHouse(url)
        yield client
        client.close()


def names(clickhouse: ClickHouse, table: str) -> set[str]:
    return {str(name) for (name,) in clickhouse.fetch(f"SELECT name FROM system.{table}").rows}


def test_clickhouse_limits_stand_where_they_have_an_effect(clickhouse: ClickHouse) -> None:
    """A limit of a query in the server's file, or the other way round, is ignored without a word."""
    server = ElementTree.parse(FOLDER / "clickhouse" / "config.d" / "footfall.xml").getroot()
    users = ElementTree.parse(FOLDER / "clickhouse" / "users.d" / "footfall.xml").getroot()
    of_server, of_queries = names(clickhouse, "server_settings"), names(clickhouse, "settings")
    of_tables = names(clickhouse, "merge_tree_settings")

    for each in server:
        if each.tag not in ("http_port", "merge_tree", "logger") and not each.tag.endswith("_log"):
            assert each.tag in of_server
    assert {each.tag for each in server.iterfind("merge_tree/*")} <= of_tables
    limits = {each.tag for each in users.iterfind("profiles/*/*")}
    assert limits <= of_queries
    assert "max_memory_usage" in limits
    assert "max_server_memory_usage_to_ram_ratio" in {each.tag for each in server}


def test_every_log_of_clickhouse_ends(clickhouse: ClickHouse) -> None:
    server = ElementTree.parse(FOLDER / "clickhouse" / "config.d" / "footfall.xml").getroot()
    logs = [each for each in server if each.tag.endswith("_log")]

    assert len(logs) > 15
    for log in logs:
        ttl = log.findtext("ttl")
        assert (log.get("remove") == "1") != (ttl is not None)
        if ttl is not None:
            clickhouse.fetch(
                f"SELECT formatQuery('CREATE TABLE l (event_date Date) ENGINE = MergeTree ORDER BY () TTL {ttl}')"
            )
