"""Python for notebooks: what reads the same data into a DataFrame `df`."""

import re
import sys
from pathlib import Path
from textwrap import indent

from studio.data.reading import Known


def reading(known: Known, root: Path) -> str:
    """Statements, imports first. Names and texts are written as literals: they run nothing."""
    found = known.found
    remote = found.place.startswith("s3://")
    if remote:
        return _remote(known)
    place = str(root / found.place)
    if len(found.items) == 1 and found.items[0].name == Path(place).name:
        return f"import pandas as pd\n\ndf = {_read(known, repr(place))}"
    names = [it.name for it in found.items]
    return (
        "from pathlib import Path\n\nimport pandas as pd\n\n"
        f"folder = Path({place!r})\n"
        f"names = {_names(names)}\n"
        f"df = pd.concat([{_read(known, 'folder / name')} for name in names], ignore_index=True)"
    )


def gathered(parts: list[str]) -> str:
    """Statements one after the other, imports first. No literal holds a line end, so that a line
    that begins with `import` is one."""
    lines = "\n".join(it.strip("\n") for it in parts if it.strip()).split("\n")
    imports = dict.fromkeys(it for it in lines if it.startswith(("import ", "from ")))
    body = "\n".join(it for it in lines if it not in imports).strip("\n")
    body = re.sub(r"\n{3,}", "\n\n", body)
    return "\n".join([*sorted(imports, key=_import_order), "", body])


def _import_order(line: str) -> tuple[bool, str]:
    name = line.split()[1].partition(".")[0]
    return name not in sys.stdlib_module_names, name


def _remote(known: Known) -> str:
    bucket, _, key = known.found.place.removeprefix("s3://").partition("/")
    items, binary = known.found.items, known.wrapping.format == "parquet"
    start = (
        "import io\n\n" if binary else ""
    ) + 'import boto3\nimport pandas as pd\n\ns3 = boto3.client("s3")\n'
    if len(items) == 1 and key.rpartition("/")[2] == items[0].name:
        body = f's3.get_object(Bucket={bucket!r}, Key={key!r})["Body"]'
        return f"{start}body = {body}\ndf = {_read(known, _readable('body', binary))}"
    prefix = key if not key or key.endswith("/") else f"{key}/"
    names = _names([prefix + it.name for it in items])
    body = f's3.get_object(Bucket={bucket!r}, Key=key)["Body"]'
    return (
        f"{start}keys = {names}\nparts = []\nfor key in keys:\n    body = {body}\n"
        f"    parts.append({_read(known, _readable('body', binary))})\n"
        "df = pd.concat(parts, ignore_index=True)"
    )


def _readable(name: str, binary: bool) -> str:
    return f"io.BytesIO({name}.read())" if binary else name


def _names(names: list[str]) -> str:
    return "[\n" + indent("".join(f"{it!r},\n" for it in names), "    ") + "]"


def _read(known: Known, what: str) -> str:
    wrapping, dialect = known.wrapping, known.dialect
    if wrapping.format == "parquet":
        return f"pd.read_parquet({what})"
    options = []
    if wrapping.format == "jsonl":
        options.append("lines=True")
    elif dialect is not None:
        options += [f"sep={dialect.delimiter!r}"] if dialect.delimiter != "," else []
        options += [] if dialect.header else [f"names={_columns(list(dialect.names))}"]
        options += ["on_bad_lines='skip'", "index_col=False"] if _irregular(known) else []
        if times := _times(known):
            options += [f"parse_dates={times!r}", "date_format='ISO8601'"]
    options += [f"compression={wrapping.compression!r}"] if wrapping.compression else []
    options += [f"encoding={wrapping.encoding!r}"] if wrapping.encoding != "utf-8" else []
    reader = "read_json" if wrapping.format == "jsonl" else "read_csv"
    return f"pd.{reader}({', '.join([what, *options])})"


def _columns(names: list[str]) -> str:
    if names == [f"column_{it}" for it in range(len(names))] and len(names) > 5:
        return f"[f'column_{{n}}' for n in range({len(names)})]"
    return repr(names)


def _irregular(known: Known) -> bool:
    return any("lines" in it for it in known.notes)


def _times(known: Known) -> list[str]:
    return [name for name, kind in known.types.items() if str(kind).startswith("timestamp")]
