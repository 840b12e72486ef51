"""The program: `python -P -m studio.container.script --framework NAME train|serve`."""

import sys

from studio.algorithms.base import base_folder, write_failure
from studio.container.script.failure import ScriptError


def main(arguments: list[str]) -> int:
    """Exit status 1 and a failure file for what the user can mend; else this does not return."""
    if len(arguments) != 3 or arguments[0] != "--framework":
        raise SystemExit("usage: --framework NAME train|serve")
    framework, verb = arguments[1:]
    try:
        if verb == "serve":
            from studio.container.script.serving import serve

            serve(base_folder(), framework)
        elif verb == "train":
            from studio.container.script.training import train

            train(base_folder(), framework)
        else:
            raise ScriptError(f"{verb!r} is neither train nor serve.")
    except ScriptError as error:
        sys.stdout.write(f"{error}\n")
        sys.stdout.flush()
        write_failure(base_folder() / "output" / "failure", str(error))
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
