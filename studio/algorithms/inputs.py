"""What an algorithm reads: its channels, and the formats of their content.

Light to import: the control plane shows and checks it. Reading itself is in `formats`.
"""

from collections.abc import Collection
from dataclasses import dataclass

from studio.algorithms.base import UserError

CSV, LIBSVM, PARQUET, RECORDIO = "csv", "libsvm", "parquet", "recordio-protobuf"

ALIASES = {
    "csv": CSV,
    "text/csv": CSV,
    "libsvm": LIBSVM,
    "text/libsvm": LIBSVM,
    "text/x-libsvm": LIBSVM,
    "parquet": PARQUET,
    "application/x-parquet": PARQUET,
    "recordio-protobuf": RECORDIO,
    "application/x-recordio-protobuf": RECORDIO,
}
"""Content type without parameters, lower case -> format."""


@dataclass(frozen=True)
class Accepted:
    """What an algorithm reads from a channel."""

    formats: tuple[str, ...]
    default: str
    """Format of a channel without content type."""
    label_size: int = 1
    """Leading CSV columns that are the label, unless the content type says `label_size`."""
    label_sizes: tuple[int, ...] = (1,)
    """The values of `label_size` that make sense."""
    missing: bool = False
    """Whether an empty CSV cell is a missing value (NaN); otherwise it is an error."""
    delimiters: str = ","
    weights: bool = False
    """Whether the CSV column behind the label is the weight of the row."""


@dataclass(frozen=True)
class Input:
    """A channel that an algorithm knows."""

    name: str
    help: str
    required: bool = False


@dataclass(frozen=True)
class Inputs:
    """The channels of an algorithm, the texts about them that its jobs fail with, its formats."""

    channels: tuple[Input, ...]
    accepted: Accepted
    missing: str = "Channel '{name}' is missing: this algorithm cannot train without it."
    unknown: str = "Channel '{name}' is not known: this algorithm reads {known}."

    def check(self, given: Collection[str]) -> None:
        """Raises UserError when a channel is missing, or there is none of a name in `given`."""
        for channel in self.channels:
            if channel.required and channel.name not in given:
                raise UserError(self.missing.format(name=channel.name))
        names = [channel.name for channel in self.channels]
        if unknown := sorted(set(given).difference(names)):
            known = ", ".join(names)
            raise UserError(self.unknown.format(name=", ".join(unknown), known=known))


def negotiate(content_type: str, accepted: Accepted) -> tuple[str, int]:
    """(format, label size) of a channel's content type. Raises UserError."""
    name, *parameters = (part.strip() for part in content_type.lower().split(";"))
    kind = ALIASES.get(name) if name else accepted.default
    if kind not in accepted.formats:
        names = ", ".join(alias for alias, kind in ALIASES.items() if kind in accepted.formats)
        raise UserError(f"{content_type} is not an accepted ContentType: {names}.")
    label_size = accepted.label_size
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "label_size" and kind == CSV:
            label_size = int(value) if value.strip().isdecimal() else -1
            if label_size not in accepted.label_sizes:
                sizes = " or ".join(str(size) for size in accepted.label_sizes)
                raise UserError(
                    f"{content_type} is not an accepted csv ContentType. "
                    f"Optional parameter label_size must be equal to {sizes}"
                )
    return kind, label_size
