"""`python -m lockstep`: the command line."""

from lockstep.cli import main

main()
