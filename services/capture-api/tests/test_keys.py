"""Where the write key may stand, which one counts, and what is said when it does not."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from footfall_core.auth import make_key

EVENT = {"event": "a", "distinct_id": "d"}
KEY = make_key("write")
OTHER = make_key("write")


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ({**EVENT, "api_key": KEY}, {}),
        ({**EVENT, "token": KEY}, {}),
        ({**EVENT, "$token": KEY}, {}),
        ({**EVENT, "properties": {"token": KEY}}, {}),
        ({"batch": [EVENT], "api_key": KEY}, {}),
        ({"batch": [EVENT], "token": KEY}, {}),
        ({"batch": [EVENT], "writeKey": KEY}, {}),
        ({"batch": [EVENT], "writeKey": f" {KEY}\n", "api_key": KEY, "token": ""}, {}),
        ([{**EVENT, "api_key": KEY}, {**EVENT, "token": KEY}, EVENT], {}),
        ([{**EVENT, "properties": {"token": KEY}}, {**EVENT, "$token": KEY}], {}),
        ([EVENT], {"authorization": f"Bearer {KEY}"}),
        ([EVENT], {"authorization": f"bearer  {KEY}"}),
        ([EVENT], {"x_api_key": KEY}),
        # What comes first in the list of places counts, and the rest is not looked at.
        ({"batch": [{**EVENT, "api_key": OTHER}], "api_key": KEY}, {"authorization": f"Bearer {OTHER}"}),
        ([{**EVENT, "token": KEY}], {"authorization": f"Bearer {OTHER}", "x_api_key": OTHER}),
        ([EVENT], {"authorization": f"Bearer {KEY}", "x_api_key": OTHER}),
        ([EVENT], {"authorization": "Basic YTpi", "x_api_key": KEY}),
        ([{**EVENT, "properties": {"token": "a product's own"}}], {"x_api_key": KEY}),
    ],
)
async def test_the_key_may_stand_in_many_places(service: Any, body: object, headers: dict[str, str]) -> None:
    service.auth.add(KEY, project_id=8)
    service.auth.add(OTHER, project_id=9)
    answer = await service.send_bare(body, **headers)

    assert answer.status_code == 200, answer.text
    assert {record.project_id for record in service.log.events} == {8}


@pytest.mark.parametrize(
    ("body", "headers", "detail"),
    [
        ([EVENT], {}, "No write key. Put it into the body as `api_key`, or into the header"),
        ([EVENT], {"authorization": "Bearer"}, "No write key."),
        ([EVENT], {"authorization": "Bearer x"}, "No project has this write key."),
        ([EVENT], {"authorization": "Bearer \x00ÿ"}, "No project has this write key."),
        ([EVENT], {"x_api_key": OTHER}, "No project has this write key."),
        ([{**EVENT, "properties": {"token": "a product's own"}}], {}, "No write key."),
        ({"batch": [EVENT], "api_key": 7}, {}, "The key in api_key is not a string."),
        ([EVENT, {**EVENT, "token": ["x"]}], {}, "The key in token of event 1 is not a string."),
        (
            {"batch": [EVENT], "api_key": KEY, "token": OTHER},
            {},
            "api_key and token have different keys. Send one body for each key.",
        ),
        (
            [{**EVENT, "api_key": KEY}, EVENT, {**EVENT, "properties": {"token": OTHER}}],
            {},
            "api_key of event 0 and properties.token of event 2 have different keys.",
        ),
        ([EVENT], {"x_api_key": make_key("read")}, "This is a read key; capture takes a write key"),
        ([EVENT], {"x_api_key": "ffr_"}, "This is a read key; capture takes a write key"),
    ],
)
async def test_a_key_that_does_not_do_is_a_401_that_says_why(
    service: Any, body: object, headers: dict[str, str], detail: str
) -> None:
    service.auth.add(KEY)
    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    answer = await service.client.post("/capture", json=body, headers=httpx.Headers(list(named.items())))

    assert answer.status_code == 401
    assert answer.json()["detail"].startswith(detail)
    assert answer.headers["www-authenticate"] == "Bearer"
    assert service.log.appends == []


async def test_a_key_that_the_auth_api_calls_a_read_key_is_refused(service: Any) -> None:
    service.auth.add(KEY, type="read")
    answer = await service.send_bare([EVENT], x_api_key=KEY)

    assert answer.status_code == 401
    assert answer.json()["detail"].startswith("This is a read key")


async def test_json_that_cannot_be_read_is_not_called_a_missing_key(service: Any) -> None:
    body = f'{{"api_key": "{KEY}", "event": tru}}'.encode()
    answer = await service.client.post("/capture", content=body)

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("Not JSON: ")


async def test_the_key_is_found_in_a_mended_event(service: Any) -> None:
    body = f'[{{"api_key": "{service.key}", "event": "a", "distinct_id": "d", "properties": {{"n": NaN}}}}]'
    answer = await service.client.post("/capture", content=body.encode())

    assert answer.status_code == 200


async def test_the_key_is_no_property(service: Any) -> None:
    answer = await service.send_bare(
        [
            {**EVENT, "properties": {"token": service.key, "a": 1}},
            {**EVENT, "properties": {"token": "a product's own"}},
        ]
    )

    assert answer.status_code == 200
    assert [bytes(record.properties) for record in service.log.events] == [
        b'{"a":1}',
        b'{"token":"a product\'s own"}',
    ]


async def test_an_unknown_key_is_asked_about_once_in_a_while(service: Any) -> None:
    for _ in range(3):
        assert (await service.send_bare([EVENT], x_api_key=KEY)).status_code == 401
    assert service.auth.asked == 1
    service.auth.add(KEY)
    service.directory_clock.now += 6
    assert (await service.send_bare([EVENT], x_api_key=KEY)).status_code == 200


async def test_a_known_key_works_while_the_auth_api_is_away(service: Any) -> None:
    assert (await service.send([EVENT])).status_code == 200
    service.auth.is_away = True
    service.directory_clock.now += 3_600
    assert (await service.send([EVENT])).status_code == 200
    assert len(service.log.events) == 2


async def test_an_unknown_key_while_the_auth_api_is_away_is_a_503_and_never_a_401(service: Any) -> None:
    service.auth.is_away = True
    answer = await service.send([EVENT])

    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["detail"] == "The write key cannot be checked right now. Send the events again."
    assert service.log.appends == []
    service.auth.is_away = False
    assert (await service.send([EVENT])).status_code == 200


async def test_what_cannot_be_a_key_is_not_asked_about(service: Any) -> None:
    service.auth.is_away = True

    assert (await service.send_bare([EVENT], x_api_key="x")).status_code == 401
    assert service.auth.asked == 0
