"""What several requests ask, joined for one call of predict_fn, and what it says, taken apart.

Python 3.9 or newer, in the user's interpreter: numpy and the like are there already where a value
is one of theirs.
"""

import sys
from typing import Any

ABSENT = object()
"""In the place of a prediction that is still to be made."""


class NotAlike(Exception):
    """The values cannot be joined, or the prediction cannot be taken apart."""


def predicted(read: Any, predict: Any, bodies: "list[bytes]", kinds: "list[str]") -> "list[Any]":
    """What is predicted for each of the requests, by `predict(read(body, kind))`, with one call for
    those that are alike; ABSENT for one that has to be asked by itself, whatever the reason."""
    found = [ABSENT] * len(bodies)
    groups: dict[Any, list[tuple[int, Any]]] = {}
    for number, (body, kind) in enumerate(zip(bodies, kinds)):  # noqa: B905  Python 3.9
        try:
            data = read(body, kind)
            key = alike(data)
        except Exception:
            continue
        if key is not None:
            groups.setdefault(key, []).append((number, data))
    for group in groups.values():
        if len(group) > 1:
            parts = _parts(predict, [data for _, data in group])
            for (number, _), part in zip(group, parts):  # noqa: B905  Python 3.9
                found[number] = part
    return found


def _parts(predict: Any, values: "list[Any]") -> Any:
    try:
        return apart(predict(joined(values)), [length(value) for value in values])
    except Exception:  # by whose fault turns out when each is asked by itself
        return [ABSENT] * len(values)


def alike(value: Any) -> Any:
    """The same for values whose rows can be joined; None for one without rows."""
    kind = type(value)
    if kind is list:
        return ("list",)
    if _is_frame(value):
        return kind, tuple(value.columns), tuple(map(str, value.dtypes))
    if _is_matrix(value):
        names = (value.feature_names, value.feature_types)
        # Margins belong to rows, and rows are all that is joined.
        return None if value.get_base_margin().size else (kind, value.num_col(), str(names))
    shape = getattr(value, "shape", ())
    # One row by itself is none: it may be a vector, whose numbers belong together.
    if len(shape) < 2 or not hasattr(value, "dtype"):
        return None
    return kind, tuple(shape[1:]), str(value.dtype), str(getattr(value, "device", ""))


def joined(values: Any) -> Any:
    """All rows of values that are alike, in their order."""
    first = values[0]
    if isinstance(first, list):
        return [row for value in values for row in value]
    if _is_frame(first):
        return sys.modules["pandas"].concat(values, ignore_index=True)
    if _is_matrix(first):
        from scipy import sparse

        rows = sparse.vstack([value.get_data() for value in values], "csr")
        names, types = first.feature_names, first.feature_types
        return type(first)(rows, feature_names=names, feature_types=types)
    module = type(first).__module__.partition(".")[0]
    if module == "torch":
        return sys.modules["torch"].cat(values)
    if module == "scipy":
        from scipy import sparse

        return sparse.vstack(values, first.format)
    if module == "numpy":
        return sys.modules["numpy"].concatenate(values)
    raise NotAlike(module)


def length(value: Any) -> int:
    """Rows of a value that can be joined."""
    if _is_matrix(value):
        return int(value.num_row())
    return len(value) if isinstance(value, list) else int(value.shape[0])


def apart(prediction: Any, counts: Any) -> Any:
    """The prediction of so many rows each, in their order. Raises NotAlike where it has another
    number of rows than were asked."""
    if isinstance(prediction, dict):
        named = {name: apart(it, counts) for name, it in prediction.items()}
        return [{name: it[place] for name, it in named.items()} for place in range(len(counts))]
    if not isinstance(prediction, list) and not getattr(prediction, "shape", ()):
        raise NotAlike(type(prediction).__name__)
    if length(prediction) != sum(counts):
        raise NotAlike("rows")
    parts, begin = [], 0
    for count in counts:
        parts.append(_rows(prediction, begin, begin + count))
        begin += count
    return parts


def _rows(prediction: Any, begin: int, end: int) -> Any:
    if hasattr(prediction, "iloc"):
        return prediction.iloc[begin:end].reset_index(drop=True)
    return prediction[begin:end]


def _is_matrix(value: Any) -> bool:
    """XGBoost's own."""
    return type(value).__name__ == "DMatrix" and hasattr(value, "get_data")


def _is_frame(value: Any) -> bool:
    return hasattr(value, "columns") and hasattr(value, "dtypes")
