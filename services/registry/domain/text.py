"""The kinds of text that commands may carry."""

from typing import Annotated

from pydantic import StringConstraints

# PostgreSQL holds every character but NUL, and the other control characters never belong into a name.
Name = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$"),
]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
ServiceCode = Annotated[
    str, StringConstraints(max_length=60, pattern=r"^(vn|[0-9]{2})\.[a-z0-9]+(-[a-z0-9]+)*$")
]
