"""The web SDK from the Capture API, under its own name and others."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

SCRIPT = "(()=>{" + "window.footfall=1;" * 200 + "})()"
EVENT = {"event": "a", "distinct_id": "d"}


@pytest.fixture
def script(tmp_path: Path) -> Path:
    path = tmp_path / "footfall.js"
    path.write_text(SCRIPT)
    return path


async def test_any_page_may_load_it(new_service: Callable[..., Any], script: Path) -> None:
    service = new_service(script=script)
    asked = {"origin": "https://shop.example", "accept-encoding": "gzip"}
    answer = await service.client.get("/footfall.js", headers=asked)

    assert (answer.status_code, answer.text) == (200, SCRIPT)
    headers = dict(answer.headers)
    assert headers.pop("etag").strip('"')
    assert headers.pop("x-request-id")
    assert headers == {
        "access-control-allow-origin": "*",
        "cache-control": "public, max-age=3600, stale-while-revalidate=86400",
        "content-encoding": "gzip",
        "content-length": str(len(gzip.compress(SCRIPT.encode(), 9, mtime=0))),
        "content-type": "text/javascript; charset=utf-8",
        "cross-origin-resource-policy": "cross-origin",
        "timing-allow-origin": "*",
        "vary": "accept-encoding",
        "x-content-type-options": "nosniff",
    }


async def test_who_has_it_need_not_load_it_again(new_service: Callable[..., Any], script: Path) -> None:
    service = new_service(script=script)
    first = await service.client.get("/footfall.js")
    again = await service.client.get("/footfall.js", headers={"if-none-match": f'W/{first.headers["etag"]}, "other"'})
    changed = await service.client.get("/footfall.js", headers={"if-none-match": '"other"'})
    head = await service.client.head("/footfall.js")

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["access-control-allow-origin"] == "*"
    assert (changed.status_code, changed.text) == (200, SCRIPT)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", first.headers["etag"])


async def test_without_node_it_says_what_to_do_and_works_once_it_is_built(
    new_service: Callable[..., Any], tmp_path: Path
) -> None:
    service = new_service(script=tmp_path / "footfall.js")
    missing = await service.client.get("/footfall.js")

    assert missing.status_code == 404
    assert missing.headers["content-type"] == "application/problem+json"
    assert missing.headers["cache-control"] == "no-store"
    assert "make web-sdk" in missing.json()["detail"]
    (tmp_path / "footfall.js").write_text(SCRIPT)
    assert (await service.client.get("/footfall.js")).text == SCRIPT


async def test_the_script_and_the_endpoint_have_other_names_too(new_service: Callable[..., Any], script: Path) -> None:
    service = new_service(script=script, capture_script_path="/assets/visits.js", capture_path="/hello")
    scripts = [(await service.client.get(path)).text for path in ("/footfall.js", "/assets/visits.js")]
    bearer = {"authorization": f"Bearer {service.key}"}
    sent = [await service.client.post(path, json=EVENT, headers=bearer) for path in ("/capture", "/hello", "/hello/")]

    assert scripts == [SCRIPT, SCRIPT]
    assert [answer.json() for answer in sent] == [{"status": "ok", "accepted": 1, "rejected": []}] * 3
    assert len(service.log.events) == 3
    assert (await service.client.options("/hello", headers={"origin": "https://x"})).status_code == 200


@pytest.mark.parametrize(
    "settings",
    [{"capture_path": "/capture"}, {"capture_path": "/e"}, {"capture_script_path": "/footfall.js"},
     {"capture_script_path": "/livez"}, {"capture_path": "/a", "capture_script_path": "/a"}],
)  # fmt: skip
async def test_a_name_that_is_taken_is_refused(new_service: Callable[..., Any], settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="is taken"):
        new_service(**settings)


@pytest.mark.parametrize("path", ["hello", "/hello/", "/a//b", "/{a}", "/a?b", "/"])
async def test_a_name_is_a_plain_path(new_service: Callable[..., Any], path: str) -> None:
    with pytest.raises(ValidationError, match="capture_path"):
        new_service(capture_path=path)
