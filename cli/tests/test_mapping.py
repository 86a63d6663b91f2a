"""What a command line says about columns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from footfall_cli.importing.mapping import Constant, RowMapping, check_mapping, find_value, read_mapping
from footfall_cli.output import Failed, Misused

COLUMNS = ("customer_id", "date", "number_of_cds", "dollar_value")


@pytest.mark.parametrize(
    ("text", "mapping"),
    [
        (
            "event='purchase',distinct_id=customer_id,timestamp=date",
            RowMapping(event=Constant("purchase"), distinct_id="customer_id", timestamp="date"),
        ),
        (
            'event="a, b", distinct_id = id',
            RowMapping(event=Constant("a, b"), distinct_id="id"),
        ),
        ("event=name,properties=a,b,uuid=u", RowMapping(event="name", properties=("a", "b"), uuid="u")),
        ("event=e,exclude=a,b", RowMapping(event="e", exclude=("a", "b"))),
        ("event=e,plan=plan name,$browser=ua", RowMapping(event="e", rename={"plan": "plan name", "$browser": "ua"})),
        ("event=a=b", RowMapping(event="a=b")),
        ("event=it's", RowMapping(event="it's")),
        ("type:zip=string,type:price=number", RowMapping(types={"zip": "string", "price": "number"})),
        (
            "timestamp=t,timestamp_format='%d.%m.%Y, %H:%M'",
            RowMapping(timestamp="t", timestamp_format="%d.%m.%Y, %H:%M"),
        ),
        ("session_id=s,timezone=Europe/Berlin", RowMapping(session_id="s", timezone="Europe/Berlin")),
        ('{"event": {"constant": "x"}, "timestamp": "t"}', RowMapping(event=Constant("x"), timestamp="t")),
        ('{"event": "\'x\'"}', RowMapping(event=Constant("x"))),
    ],
)
def test_a_mapping_is_read_from_text(text: str, mapping: RowMapping) -> None:
    assert read_mapping(text) == mapping


def test_a_mapping_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(
        """
        event: {constant: purchase}
        distinct_id: customer_id
        timestamp: date
        timezone: America/New_York
        rename: {quantity: number_of_cds}
        types: {dollar_value: number}
        exclude: [note]
        """
    )

    assert read_mapping(str(path)) == RowMapping(
        event=Constant("purchase"),
        distinct_id="customer_id",
        timestamp="date",
        timezone="America/New_York",
        rename={"quantity": "number_of_cds"},
        types={"dollar_value": "number"},
        exclude=("note",),
    )


def test_options_win_over_the_mapping() -> None:
    mapping = read_mapping(
        "event=name,timezone=UTC,exclude=a",
        ["event='other'", "plan=tier"],
        event="purchase",
        exclude="b,c",
        types=["zip=string"],
        timestamp_format="unix",
        timezone="Asia/Tokyo",
    )

    assert mapping == RowMapping(
        event=Constant("purchase"),
        exclude=("a", "b", "c"),
        rename={"plan": "tier"},
        types={"zip": "string"},
        timestamp_format="unix",
        timezone="Asia/Tokyo",
    )


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("event", "is not field=column"),
        ("event=", "is not field=column"),
        ("type:price=money", "is no type: use string, integer"),
        ('{"evnt": "a"}', "evnt"),
        ('{"event": 5}', "event"),
        ("{", "neither YAML nor JSON"),
        ("missing.yaml", "cannot be read"),
    ],
)
def test_a_mapping_that_makes_no_sense_is_refused(text: str, words: str) -> None:
    with pytest.raises(Misused, match=words):
        read_mapping(text)


def test_a_yaml_file_must_hold_pairs(tmp_path: Path) -> None:
    path = tmp_path / "mapping.yml"
    path.write_text("- event")
    with pytest.raises(Misused, match="must hold field: column pairs"):
        read_mapping(str(path))


def test_columns_named_like_fields_are_those_fields() -> None:
    columns = ("event", "distinct_id", "timestamp", "uuid", "plan")

    assert check_mapping(RowMapping(), columns, complete=True) == RowMapping(
        event="event", distinct_id="distinct_id", timestamp="timestamp", uuid="uuid"
    )


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ("distinct_id=customer_id,timestamp=date", "which column is the event, with -m event=COLUMN or --event NAME"),
        ("event='a',timestamp=date", "which column is the distinct_id"),
        ("event='a',distinct_id=customer_id", "which column is the timestamp"),
        ("event=purchase,distinct_id=customer_id,timestamp=date", "write event='purchase' or --event purchase"),
        ("event='a',distinct_id=costumer_id,timestamp=date", "Did you mean 'customer_id'?"),
        ("event='a',distinct_id=customer_id,timestamp=date,properties=price", "no column 'price'"),
        ("event='a',distinct_id=customer_id,timestamp=date,exclude=price", "no column 'price'"),
        ("event='a',distinct_id=customer_id,timestamp=date,plan=price", "property plan: .* no column 'price'"),
        ("event='a',distinct_id=customer_id,timestamp=date,type:price=number", "type of price"),
    ],
)
def test_what_is_missing_is_named(mapping: str, words: str) -> None:
    with pytest.raises(Failed, match=words) as failed:
        check_mapping(read_mapping(mapping), COLUMNS, complete=True)
    assert "customer_id, date, number_of_cds, dollar_value" in failed.value.message


def test_json_lines_may_have_fields_that_were_not_seen_yet() -> None:
    mapping = read_mapping("event=name,distinct_id=user.id,timestamp=at")

    assert check_mapping(mapping, ("name", "user", "at"), complete=False) == mapping


@pytest.mark.parametrize(
    ("values", "column", "value"),
    [
        ({"a": 1}, "a", 1),
        ({"a": {"b": {"c": 1}}}, "a.b.c", 1),
        ({"a.b": 1, "a": {"b": 2}}, "a.b", 1),
        ({"a": {"b": 2}}, "a.c", None),
        ({"a": [1]}, "a.0", None),
        ({}, "a", None),
    ],
)
def test_values_may_lie_inside_objects(values: dict[str, Any], column: str, value: Any) -> None:
    assert find_value(values, column) == value
