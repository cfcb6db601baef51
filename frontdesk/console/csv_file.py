"""Tables as files for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Sequence

from flask import Response

# A cell that begins with one of these is a formula to a spreadsheet, whoever wrote it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_response(rows: Iterable[Sequence[object]], *, name: str) -> Response:
    """Return `rows` as a file to be kept under `name`: UTF-8 with a mark of order, by which Excel knows it. Text is never a formula."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    response = Response("\ufeff" + text.getvalue(), mimetype="text/csv")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _cell(value: object) -> object:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
