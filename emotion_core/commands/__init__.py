"""The command line: reads options, calls the library, prints the answer.

Answers go to standard output, as one JSON document where `--json` asks for it; everything else goes to standard
error. Exit codes: 0 done, 1 failed, 2 bad input. Each command imports what it needs when it is called, so that help
and errors come at once.
"""

import importlib
import os
import sys
import traceback
from collections.abc import Sequence

from emotion_core.commands.output import harmless
from emotion_core.commands.parser import parse
from emotion_core.errors import EmotionError

INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and return its exit code; `arguments` are those of the process by default."""
    try:
        options = parse(arguments)
        module, function = options.command
        getattr(importlib.import_module(f"emotion_core.commands.{module}"), function)(options)
        sys.stdout.flush()
    except EmotionError as error:
        return _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _fail("Interrupted.", INTERRUPTED)
    except BrokenPipeError:  # whoever read the output has enough, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if os.environ.get("EMOTION_DEBUG"):
            traceback.print_exc()
        return _fail(f"{error.filename or 'The output'} cannot be used: {error.strerror or error}.", 1)
    except ModuleNotFoundError as error:
        return _fail(f"{error.name} is not installed: pip install -r requirements.txt", 1)
    except Exception as error:
        if os.environ.get("EMOTION_DEBUG"):
            traceback.print_exc()
        return _fail(f"{type(error).__name__}: {error} (set EMOTION_DEBUG=1 to see where)", 1)
    return 0


def _fail(sentence: str, exit_code: int) -> int:
    print(harmless(sentence), file=sys.stderr)
    return exit_code
