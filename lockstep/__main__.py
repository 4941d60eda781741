"""`python -m lockstep`: the command line."""

from lockstep.cli.main import main

main()
