"""`python -m socai …`: the operator's commands."""

from socai.cli import main

main()
