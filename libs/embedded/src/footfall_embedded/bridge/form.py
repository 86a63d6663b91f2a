"""multipart/form-data: how clients send long bound parameters, and tables of their own for one query."""

from collections.abc import Mapping
from dataclasses import dataclass

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header

from footfall_embedded.bridge.encoding import Body
from footfall_embedded.bridge.errors import refuse

_MOST_BYTES = 256 << 20
_STEP = 1 << 20


@dataclass(frozen=True, slots=True)
class Table:
    """A temporary table that a request brings along. `columns`: name and type, as in CREATE TABLE."""

    name: str
    columns: str
    format: str
    data: bytes


def is_form(headers: Mapping[bytes, bytes]) -> bool:
    """Whether the body is a form."""
    return headers.get(b"content-type", b"").lower().startswith(b"multipart/form-data")


def read_form(content_type: bytes, body: Body) -> tuple[dict[str, str], dict[str, bytes]]:
    """The form's plain fields, and the contents of its files by field name. Raises EngineError."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise refuse("BAD_REQUEST_PARAMETER", "The form's Content-Type has no boundary.")
    fields: dict[str, str] = {}
    files: dict[str, bytes] = {}
    header_name = bytearray()
    header_value = bytearray()
    part: dict[bytes, bytes] = {}
    data = bytearray()

    def end_header() -> None:
        if header_name.lower() == b"content-disposition":
            part.update(parse_options_header(bytes(header_value))[1])
        header_name.clear()
        header_value.clear()

    def end_part() -> None:
        name = part.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in part:
            files[name] = bytes(data)
        else:
            fields[name] = data.decode("utf-8", "surrogateescape")
        part.clear()
        data.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda piece, start, end: header_name.extend(piece[start:end]),
            "on_header_value": lambda piece, start, end: header_value.extend(piece[start:end]),
            "on_header_end": end_header,
            "on_part_data": lambda piece, start, end: data.extend(piece[start:end]),
            "on_part_end": end_part,
        },
        max_size=_MOST_BYTES,
    )
    try:
        while piece := body.read(_STEP):
            parser.write(piece)
        parser.finalize()
    except MultipartParseError as error:
        raise refuse("BAD_REQUEST_PARAMETER", f"The form cannot be read: {error}.") from None
    return fields, files


def take_tables(arguments: dict[str, str], files: Mapping[str, bytes]) -> list[Table]:
    """The tables that the files are; takes what describes them out of the arguments. Raises EngineError."""
    tables: list[Table] = []
    for name, data in files.items():
        structure = arguments.pop(f"{name}_structure", "")
        types = arguments.pop(f"{name}_types", "")
        format_name = arguments.pop(f"{name}_format", "TabSeparated")
        if not format_name.isalnum():
            raise refuse("BAD_ARGUMENTS", f"The file '{name}' has a bad format: '{format_name}'.")
        if not structure and not types:
            raise refuse("BAD_ARGUMENTS", f"The file '{name}' needs {name}_structure or {name}_types.")
        columns = structure or ", ".join(f"_{n} {type}" for n, type in enumerate(_split(types), 1))
        tables.append(Table(name, columns, format_name, data))
    return tables


def _split(types: str) -> list[str]:
    """Split at the commas outside of brackets."""
    parts = [""]
    depth = 0
    for char in types:
        depth += (char == "(") - (char == ")")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts
