"""What the user can mend."""

_ABSENT = "ModuleNotFoundError: No module named "
_WAYS_OUT = (
    "install it in the environment that the script runs in, name it in requirements.txt, or choose "
    "another environment with STUDIO_PYTHON"
)


class ScriptError(Exception):
    """The job or server ends with this text as its reason."""


def mendable(message: str) -> str:
    """What the user's code raised, with the way out where there is one that is always the same."""
    return f"{message} ({_WAYS_OUT})" if _ABSENT in message else message
