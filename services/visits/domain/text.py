"""The kinds of text that commands may carry."""

from typing import Annotated

from pydantic import StringConstraints

Label = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
"""A word of a vocabulary that a province may extend, such as `fibre` or `market-stall`."""
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]+$")]
"""Why something was done, in the words of whoever did it. It stays readable, so it names nobody."""
