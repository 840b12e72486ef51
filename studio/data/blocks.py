"""Text cut into blocks of whole lines."""

from collections.abc import Iterator

from studio.data.errors import DataError
from studio.data.formats import Opened

SIZE = 8 << 20
LONGEST_LINE = 16 << 20
_BACK = 1000  # line ends tried for one that is in no quotes


def blocks(file: Opened, quoted: bool, size: int = SIZE) -> Iterator[bytes]:
    """The text from where the file stands, in blocks that end with a line (the last may not).

    With `quoted` a line end between quotes ends no line. Raises DataError for a line that is
    longer than LONGEST_LINE: it would have to be held in memory whole.
    """
    rest = b""
    while chunk := file.read(size):
        text = rest + chunk
        cut = _cut(text, quoted)
        if not cut and len(text) > LONGEST_LINE:
            limit = f"{LONGEST_LINE >> 20} MiB"
            raise DataError("Unreadable", f"{file.item.name} has a line of more than {limit}.")
        if cut:
            yield text[:cut]
        rest = text[cut:]
    if rest:
        yield rest


def _cut(text: bytes, quoted: bool) -> int:
    """After the last line that ends in the text, 0 when none does."""
    last = _line_end(text, len(text))
    if not quoted or last < 0:
        return last + 1
    # The block begins outside quotes: an even number of them before a line end leaves it outside.
    end, quotes = last, text.count(b'"', 0, last + 1)
    for _ in range(_BACK):
        if quotes % 2 == 0:
            return end + 1
        before = _line_end(text, end)
        if before < 0:
            return 0 if len(text) <= LONGEST_LINE else last + 1
        quotes -= text.count(b'"', before + 1, end + 1)
        end = before
    return last + 1  # a lone quote inside a cell, as of inches, quotes nothing


def _line_end(text: bytes, before: int) -> int:
    """Where the last line end before that place is; old Macs wrote only carriage returns."""
    found = text.rfind(b"\n", 0, before)
    return found if found >= 0 else text.rfind(b"\r", 0, max(before - 1, 0))
