"""The kinds of text that commands may carry."""

import re
from typing import Annotated

from pydantic import StringConstraints

# Neither control characters (PostgreSQL does not even hold NUL) nor invisible ones, which make two names look
# the same or a line read backwards.
Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$"
    ),
]
Phone = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=30,
        # 8 to 15 digits. Python's own expressions can say what it must not be: a date.
        pattern=re.compile(r"^(?!\d{4}-\d\d-\d\d$)\+?[ .()-]*([0-9][ .()-]*){8,15}$"),
    ),
]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
ServiceCode = Annotated[
    str, StringConstraints(max_length=60, pattern=r"^(vn|[0-9]{2})\.[a-z0-9]+(-[a-z0-9]+)*$")
]
# With a letter or a digit in it.
Reason = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*[\p{L}\p{N}][^\x00]*$"
    ),
]
"""Why something was done, in the words of whoever did it."""
IndicatorCode = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
