"""The command line: `python -m emotion_core`."""

import sys

from emotion_core.commands import main

if __name__ == "__main__":
    sys.exit(main())
