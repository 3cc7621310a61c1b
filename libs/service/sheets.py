"""Tables as people open them: CSV, and workbooks with what the figures rest on in a second sheet."""

import csv
import io
import re
import tempfile
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from datetime import date
from typing import BinaryIO, NamedTuple
from urllib.parse import quote

import xlsxwriter
from starlette.concurrency import iterate_in_threadpool, run_in_threadpool
from starlette.responses import Response, StreamingResponse

from libs.service.hierarchy import fold

CSV = "text/csv; charset=utf-8"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
BOM = "\N{BYTE ORDER MARK}".encode()

# Where a program may see the beginning of a cell, also one that takes another character for the separator:
# what begins a formula there. Full-width signs count as the usual ones in some of them.
_FORMULA = re.compile(r"""(^|[,;|\t\r\n"])(\s*)(?=[=+\-@＝＋－＠])""")
_NO_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f\\/:*?"<>|\u200b-\u200f\u2028-\u202e\u2066-\u2069]+')
_NO_ASCII = re.compile(r"[^a-z0-9]+")
_ROWS_AT_ONCE = 500
_MOST_ROWS = 1_048_576
"""Of a workbook's sheet, its header among them."""
_PIECE = 64 * 1024


class NotWritten(Exception):
    """A cell that a workbook does not hold: half a table must not look like the whole."""


class Share(float):
    """A part of 1: shown in per cent by a workbook."""


Cell = str | int | float | date | None
Row = Sequence[Cell]


class Sheet(NamedTuple):
    """`widths` are in characters, one for each column."""

    name: str
    widths: Sequence[int]
    rows: Iterable[Row]
    header: Sequence[str] = ()


def csv_pieces(header: Sequence[str], rows: Iterable[Row]) -> Iterator[bytes]:
    """RFC 4180: commas, CRLF, decimal points, ISO dates; UTF-8 with a byte-order mark, by which Excel knows
    it for Vietnamese. Text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    yield BOM + csv_lines([header])
    gathered: list[Row] = []
    for row in rows:
        gathered.append(row)
        if len(gathered) == _ROWS_AT_ONCE:
            yield csv_lines(gathered)
            gathered = []
    if gathered:
        yield csv_lines(gathered)


def csv_lines(rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(
        [harmless(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
    )
    return text.getvalue().encode()


def harmless(text: str) -> str:
    """With an apostrophe before whatever a spreadsheet would take for a formula."""
    if text[:1] in ("\t", "\r", "\n"):
        text = f"'{text}"
    return _FORMULA.sub(r"\1'\2", text)


def csv_answer(
    pieces: AsyncIterator[bytes] | Iterator[bytes], *words: object, language: str = "vi"
) -> Response:
    """The words that are given make its name."""
    return StreamingResponse(pieces, media_type=CSV, headers=_headers(words, "csv", language))


async def workbook_answer(sheets: Sequence[Sheet], *words: object, language: str = "vi") -> Response:
    """Written row by row into a temporary file, in a thread, and sent from there. The words make its name."""
    file = await run_in_threadpool(_written, sheets)

    async def pieces() -> AsyncIterator[bytes]:
        with file:
            async for piece in iterate_in_threadpool(iter(lambda: file.read(_PIECE), b"")):
                yield piece

    return StreamingResponse(pieces(), media_type=XLSX, headers=_headers(words, "xlsx", language))


def _headers(words: Iterable[object], extension: str, language: str) -> dict[str, str]:
    name = " ".join(str(word) for word in words if word is not None)
    return {
        "Content-Disposition": attachment(name, extension),
        "Content-Language": language,
        "Vary": "Accept-Language",
        "Cache-Control": "no-store",
    }


def attachment(name: str, extension: str) -> str:
    """Content-Disposition of RFC 6266: the name in ASCII for old clients, and as it is for all others. What
    file systems do not take, or what makes a name look like another one, becomes a hyphen.
    """
    plain = " ".join(_NO_NAME.sub("-", name).split())[:120].strip(". ")
    in_ascii = _NO_ASCII.sub("-", fold(plain)).strip("-")
    exact = quote(f"{plain or 'so-cai'}.{extension}", safe="")
    return f"attachment; filename=\"{in_ascii or 'so-cai'}.{extension}\"; filename*=UTF-8''{exact}"


def _written(sheets: Sequence[Sheet]) -> BinaryIO:
    file = tempfile.TemporaryFile()  # noqa: SIM115 – whoever sends it closes it
    try:
        write_workbook(file, sheets)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def write_workbook(file: BinaryIO, sheets: Sequence[Sheet]) -> None:
    """Text is text, whatever it looks like: no cell is a formula or a link, nor becomes one when somebody
    edits it. Raises NotWritten.
    """
    with xlsxwriter.Workbook(file, {"constant_memory": True}) as book:
        quoted = book.add_format({"quote_prefix": True})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        formats = {
            Share: book.add_format({"num_format": "0.0%"}),
            int: book.add_format({"num_format": "#,##0"}),
            float: book.add_format({"num_format": "#,##0.00##"}),
            date: book.add_format({"num_format": "dd/mm/yyyy"}),
        }
        for sheet in sheets:
            page = book.add_worksheet(sheet.name)
            for column, width in enumerate(sheet.widths):
                page.set_column(column, column, width)
            for column, title in enumerate(sheet.header):
                page.write_string(0, column, title, bold)
            first = bool(sheet.header)
            if first:
                page.freeze_panes(1, 0)
            for number, row in enumerate(sheet.rows, start=first):
                said = 0
                for column, cell in enumerate(row):
                    if isinstance(cell, str):
                        format_ = None if harmless(cell) == cell else quoted
                        said = page.write_string(number, column, cell, format_)
                    elif isinstance(cell, date):
                        said = page.write_datetime(number, column, cell, formats[date])
                    elif cell is not None:
                        said = page.write_number(number, column, cell, formats[type(cell)])
                    if said != 0:
                        # XlsxWriter leaves out texts that are too long, and says so here only.
                        raise NotWritten(f"row {number + 1}, column {column + 1}")
                if number >= _MOST_ROWS:
                    raise NotWritten(f"more than {_MOST_ROWS:,} rows")
