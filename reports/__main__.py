"""`python -m reports`: `lockstep report` by another name."""

import sys

from lockstep.cli.main import main

if __name__ == "__main__":
    sys.argv[1:1] = ["report"]
    main()
