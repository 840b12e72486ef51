"""XML as S3 writes and reads it. What clients send is untrusted: no DTD, no entities."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from xml.etree.ElementTree import Element, ParseError, TreeBuilder

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from studio.s3.errors import S3Error

NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>\n'

# Ten thousand parts of an upload, each with number, ETag, size and checksums.
_MAX_ELEMENTS = 100_000
_MAX_DEPTH = 32

Pairs = Sequence[tuple[str, Any]]


class Fragment(str):
    """XML that is written already."""

    __slots__ = ()


# Control characters have no place in XML 1.0; S3 writes them as references all the same.
_SPECIAL = re.compile(r"[&<>\"\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}


def document(root: str, pairs: Pairs, namespace: str = NAMESPACE) -> bytes:
    """The document `root` of elements in order: a text, a number, a bool, or pairs of its own.

    Elements that are None are left out.
    """
    attribute = f' xmlns="{namespace}"' if namespace else ""
    return DECLARATION + f"<{root}{attribute}>{elements(pairs)}</{root}>".encode()


def elements(pairs: Pairs) -> Fragment:
    """The elements one after the other, as `document` has them."""
    return Fragment(
        "".join(f"<{name}>{_text(value)}</{name}>" for name, value in pairs if value is not None)
    )


def escaped(text: str) -> str:
    """What stands for `text` between two tags."""
    return _SPECIAL.sub(_reference, text) if _SPECIAL.search(text) else text


def parse(data: bytes, root: str) -> Element:
    """The root element, namespaces dropped. S3Error MalformedXML when it is not a `root`."""
    parser = defusedxml.ElementTree.DefusedXMLParser(target=_Bounded(), forbid_dtd=True)
    try:
        parser.feed(data)
        element: Element = parser.close()
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise malformed() from error
    for child in element.iter():
        child.tag = child.tag.rpartition("}")[2]
    if element.tag != root:
        raise malformed()
    return element


def malformed() -> S3Error:
    return S3Error(
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )


def time_text(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{_second(seconds)}.{rest:03d}Z"


class _Bounded(TreeBuilder):
    """Refuses what is small to send and large to keep: millions of elements, or a deep nest."""

    def __init__(self) -> None:
        super().__init__()
        self._count = self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._count += 1
        self._depth += 1
        if self._count > _MAX_ELEMENTS or self._depth > _MAX_DEPTH:
            raise ValueError("too many elements")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def _text(value: Any) -> str:
    if isinstance(value, Fragment):
        return value
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return elements(value)


def _reference(found: re.Match[str]) -> str:
    return _NAMED.get(found[0], f"&#{ord(found[0])};")


@lru_cache(maxsize=4096)  # lists of a thousand objects name few different seconds
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
