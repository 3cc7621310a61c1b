"""The kinds of text that commands may carry."""

from typing import Annotated

from pydantic import StringConstraints

from libs.service.texts import Phone as Phone
from libs.service.texts import Reason as Reason

# Neither control characters (PostgreSQL does not even hold NUL) nor invisible ones, which make two names look
# the same or a line read backwards.
Name = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, strip_whitespace=True, pattern=r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$"
    ),
]
UnitCode = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z-]{1,20}$")]
ServiceCode = Annotated[
    str, StringConstraints(max_length=60, pattern=r"^(vn|[0-9]{2})\.[a-z0-9]+(-[a-z0-9]+)*$")
]
IndicatorCode = Annotated[str, StringConstraints(max_length=80, pattern=r"^[a-z0-9]+([.-][a-z0-9]+)*$")]
Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
