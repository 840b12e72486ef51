"""The training script's side: standard library only, quick to import, never in the way."""


def warn(text: str, *details: object) -> None:
    """Say it in the log of the program; whoever trains is not stopped."""
    import logging  # a tenth of a second on a busy machine

    logging.getLogger("studio").warning(text, *details)
