"""Just enough SQL to carry a statement over HTTP: where its verb, its FORMAT and its inline data are.

The engine parses the statement. This only looks for a few keywords outside of strings, quoted names, comments
and brackets. A wrong guess ends in the engine refusing the statement, never in other SQL being run.
"""

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass

_TOKEN = re.compile(
    rb"""
    (?P<skip> \s+ | --[^\n]* | \#[!\ ][^\n]* | /\*.*?(?:\*/|\Z) )
  | (?P<text> '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
  | (?P<quoted> `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*" )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<other> [0-9][0-9A-Za-z_.]* | . )
    """,
    re.VERBOSE | re.DOTALL,
)
# The same for long statements: whatever is of no interest is stepped over inside the regex engine.
_LANDMARK = re.compile(
    rb"""
    --[^\n]* | \#[!\ ][^\n]* | /\*.*?(?:\*/|\Z)
  | '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
  | `(?:[^`\\]|\\.|``)*` | "(?:[^"\\]|\\.|"")*"
  | (?P<open> [(\[{] ) | (?P<close> [)\]}] ) | (?P<end> ; )
  | (?<![\w.]) (?P<word> FORMAT | INTO | INSERT | INFILE ) \b
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_PROCESSES = re.compile(
    rb"""
    --[^\n]* | \#[!\ ][^\n]* | /\*.*?(?:\*/|\Z)
  | '(?:[^'\\]|\\.|'')*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$
  | (?<![\w.]) (?P<system> system | `system` | "system" )
    \s*\.\s* (?: processes\b | `processes` | "processes" )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)

_STREAMING = frozenset({b"SELECT", b"WITH", b"FROM", b"("})
_OPENING = frozenset({b"(", b"[", b"{"})
_CLOSING = frozenset({b")", b"]", b"}"})


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement other than an INSERT with data.

    `verb`: its first keyword in capitals; INSERT also behind a WITH; `(` for a SELECT in brackets; empty when
    there is no statement. `format`: the output format that it names, as written. `outfile_at`: the offset at
    which an INTO OUTFILE clause belongs; None when the result is small. `names_outfile` and `names_infile`: it
    has such a clause, or FROM INFILE, itself. `is_several`: another statement follows it.
    """

    verb: bytes
    format: bytes | None = None
    outfile_at: int | None = None
    names_outfile: bool = False
    names_infile: bool = False
    is_several: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """An INSERT whose data follows the statement.

    `before` and `after`: the statement without its FORMAT or VALUES, parted where the data's file belongs,
    which is before SETTINGS or, if `is_input`, at `input(`. `format`: the input format. `data_at`: the
    offset of the first byte of data.
    """

    before: bytes
    after: bytes
    format: bytes
    data_at: int
    is_input: bool = False

    def with_file(self, path: bytes) -> bytes:
        """The statement that reads its data from a file instead; `path` must need no quoting."""
        if self.is_input:
            return self.before + b"file('" + path + b"', '" + self.format + b"', " + self.after
        infile = b" FROM INFILE '" + path + b"' COMPRESSION 'none' "
        return self.before + infile + self.after + b" FORMAT " + self.format


def _tokens(text: bytes, start: int = 0) -> Iterator[re.Match[bytes]]:
    for found in _TOKEN.finditer(text, start):
        if found.lastgroup != "skip":
            yield found


def find_insert(text: bytes) -> Insert | None:
    """The INSERT that `text` begins with, when it carries data; None for any other statement.

    `text` may be cut off anywhere behind the keyword that begins the data.
    """
    tokens = _tokens(text)
    first = next(tokens, None)
    if first is None or first.group().upper() != b"INSERT":
        return None
    depth = 0
    named = False  # the table's name has begun
    selects = False
    input_at: tuple[int, int] | None = None  # of "input" and behind its bracket
    file_at: int | None = None
    before: re.Match[bytes] = first
    for token in tokens:
        word = token.group()
        if word in _OPENING:
            depth += 1
            if selects and word == b"(" and before.group().lower() == b"input":
                input_at = (before.start(), token.end())
        elif word in _CLOSING:
            depth -= 1
        elif word == b";":
            return None
        elif token.lastgroup == "quoted":
            named = True
        elif token.lastgroup == "word" and depth == 0:
            upper = word.upper()
            if not named:
                named = upper not in (b"INTO", b"TABLE", b"FUNCTION")
            elif before.group() == b".":
                pass  # a table may be called db.format
            elif upper in (b"SELECT", b"WITH"):
                selects = True
            elif upper == b"SETTINGS" and file_at is None and not selects:
                file_at = token.start()
            elif upper == b"FROM" and not selects:
                return None  # FROM INFILE
            elif upper == b"VALUES" and not selects:
                return _insert(text, token.start(), file_at, b"Values", token.end())
            elif upper == b"FORMAT":
                name = next(tokens, None)
                if name is None or name.lastgroup != "word":
                    return None
                if selects:
                    return _insert_input(text, token.start(), input_at, name)
                if name.group().upper() == b"VALUES":
                    return _insert(text, token.start(), file_at, b"Values", name.end())
                return _insert(text, token.start(), file_at, name.group(), _data_start(text, name.end()))
        before = token
    return None


def _insert(text: bytes, end: int, file_at: int | None, format: bytes, data_at: int) -> Insert:
    part = end if file_at is None else file_at
    return Insert(text[:part], text[part:end], format, data_at)


def _insert_input(text: bytes, end: int, input_at: tuple[int, int] | None, name: re.Match[bytes]) -> Insert | None:
    if input_at is None:
        return None  # the FORMAT of an INSERT … SELECT, which has no data
    start, arguments = input_at
    return Insert(text[:start], text[arguments:end], name.group(), _data_start(text, name.end()), is_input=True)


def _data_start(text: bytes, at: int) -> int:
    """Blanks behind the format's name, and one line break, do not belong to the data."""
    end = len(text)
    while at < end and text[at] in b" \t\f":
        at += 1
    if text[at : at + 1] == b"\r":
        at += 1
    if text[at : at + 1] == b"\n":
        at += 1
    return at


def read_statement(text: bytes, formats: Container[bytes]) -> Statement:
    """Look at a statement. `formats`: the names of the engine's formats in lower case."""
    first = next(_tokens(text), None)
    if first is None:
        return Statement(b"")
    verb = first.group().upper()
    depth = 0
    clause: re.Match[bytes] | None = None
    inserts = outfile = infile = False
    end = len(text)
    for found in _LANDMARK.finditer(text, first.start()):
        match found.lastgroup:
            case "open":
                depth += 1
            case "close":
                depth -= 1
            case "end":
                if next(_tokens(text, found.end()), None) is not None:
                    return Statement(verb, is_several=True)
                end = found.start()
                break
            case "word" if depth == 0:
                keyword = found.group().upper()
                if keyword == b"FORMAT":
                    clause = found
                elif keyword == b"INSERT":
                    inserts = True
                else:
                    following = next(_tokens(text, found.end()), None)
                    if following is not None and keyword == b"INTO":
                        outfile = outfile or following.group().upper() == b"OUTFILE"
                    elif following is not None:
                        infile = infile or following.lastgroup == "text"
    format_name = _format_name(text, clause, formats)
    if inserts:
        verb = b"INSERT"
    outfile_at: int | None = None
    if verb in _STREAMING:
        outfile_at = clause.start() if clause is not None and format_name else _last_token(text, first.start(), end)
    return Statement(verb, format_name, outfile_at, names_outfile=outfile, names_infile=infile)


def _format_name(text: bytes, clause: re.Match[bytes] | None, formats: Container[bytes]) -> bytes | None:
    """The name in `FORMAT name`, unless FORMAT is a column's name after all."""
    if clause is None:
        return None
    tail = _tokens(text, clause.end())
    name = next(tail, None)
    after = next(tail, None)
    if name is None or name.lastgroup != "word" or name.group().lower() not in formats:
        return None
    if after is not None and after.group() != b";" and after.group().upper() != b"SETTINGS":
        return None
    return name.group()


def _last_token(text: bytes, start: int, end: int) -> int:
    """The offset just behind the last token before `end`: where comments and blanks begin."""
    statement = text[start:end]
    if not any(mark in statement for mark in (b"--", b"#", b"*/")):
        return start + len(statement.rstrip())
    last = start
    for token in _tokens(text[:end], start):
        last = token.end()
    return last


def read_client_processes(text: bytes, verb: bytes) -> bytes:
    """The statement with `system.processes` replaced by the view of it that has the clients' query ids.

    The very same object when the statement does not read that table. SHOW PROCESSLIST becomes the SELECT it
    stands for.
    """
    if b"process" not in text.lower():
        return text
    if verb == b"SHOW":
        tokens = _tokens(text)
        show, what = next(tokens), next(tokens, None)
        if what is None or what.group().upper() != b"PROCESSLIST":
            return text
        select = b"SELECT * FROM system.client_processes ORDER BY elapsed DESC"
        return text[: show.start()] + select + text[what.end() :]
    if verb not in _STREAMING:
        return text
    replaced, count = _PROCESSES.subn(
        lambda found: b"system.client_processes" if found.group("system") else found.group(), text
    )
    return replaced if count and replaced != text else text


@dataclass(frozen=True, slots=True)
class Kill:
    """A KILL QUERY statement: its condition, whether it waits, and whether it only looks."""

    condition: bytes
    waits: bool
    only_looks: bool


def read_kill(text: bytes) -> Kill | None:
    """The parts of a KILL QUERY; None for another KILL, or one that only the engine understands."""
    tokens = list(_tokens(text))
    words = [token.group().upper() for token in tokens]
    if words[1:3] != [b"QUERY", b"WHERE"]:
        return None
    last = len(tokens)
    while words[last - 1] == b";":
        last -= 1
    if words[last - 2] == b"FORMAT":
        last -= 2
    mode = words[last - 1] if words[last - 1] in (b"SYNC", b"ASYNC", b"TEST") else b""
    if mode:
        last -= 1
    if last <= 3:
        return None
    condition = text[tokens[3].start() : tokens[last - 1].end()]
    return Kill(condition, mode == b"SYNC", mode == b"TEST")
