"""The kinds of text that commands may carry."""

from typing import Annotated

from pydantic import StringConstraints

from libs.service.texts import Phone as Phone
from libs.service.texts import Reason as Reason

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
"""A word of a vocabulary that a province may extend, such as `fibre` or `market-stall`."""
ServiceCode = Annotated[str, StringConstraints(max_length=60, pattern=r"^[\x21-\x7e]+$")]
"""A digital service's code. Which forms there are is the registry's to say, but none has spaces in it."""

# Neither control characters nor invisible ones, which make two names look the same or a line read backwards.
_VISIBLE = r"^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$"
PersonName = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True, pattern=_VISIBLE)
]
Address = Annotated[
    str, StringConstraints(min_length=1, max_length=300, strip_whitespace=True, pattern=_VISIBLE)
]
Note = Annotated[str, StringConstraints(max_length=2000)]
Reference = Annotated[str, StringConstraints(max_length=200, pattern=_VISIBLE)]
"""Names the paper or the provision, never a person."""
