"""Kinds of text that commands of more than one service carry."""

import re
from typing import Annotated

from pydantic import StringConstraints

Phone = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True,
        max_length=30,
        # 8 to 15 digits. Python's own expressions can say what it must not be: a date.
        pattern=re.compile(r"^(?!\d{4}-\d\d-\d\d$)\+?[ .()-]*([0-9][ .()-]*){8,15}$"),
    ),
]
# With a letter or a digit in it.
Reason = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=500, strip_whitespace=True, pattern=r"^[^\x00]*[\p{L}\p{N}][^\x00]*$"
    ),
]
"""Why something was done, in the words of whoever did it. It stays readable, so it names nobody."""
