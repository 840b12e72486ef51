"""Every parser of untrusted bytes against mutations of good input: only documented errors."""

import resource
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from targets import TARGETS

_PIECES = st.one_of(
    st.binary(max_size=12),
    st.sampled_from([b"\r\n", b"\0", b"%", b"&", b"=", b"--b", b"<", b"&lt;", b"\xff" * 8, b"-1"]),
)


@st.composite
def mutated(draw: st.DrawFn, examples: tuple[bytes, ...]) -> bytes:
    """An example with a few places cut, filled or doubled."""
    data = draw(st.sampled_from(examples))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = min(len(data), at + draw(st.integers(0, 20)))
        filled = draw(_PIECES) * draw(st.integers(1, 50))
        data = data[:at] + filled + data[end if draw(st.booleans()) else at :]
    return data.ljust(3, b"\0")


@pytest.mark.hypothesis
@pytest.mark.parametrize("name", TARGETS)
def test_only_documented_errors(name: str) -> None:
    target = TARGETS[name]
    inputs = st.one_of(mutated(target.examples), st.binary(min_size=3, max_size=400))

    @settings(max_examples=100, suppress_health_check=list(HealthCheck), database=None)
    @given(inputs)
    def check(data: bytes) -> None:
        target.run(data)

    check()


# Input that is small, or cheap to send, and made to cost the reader much.
BOMBS = {
    "documents": [
        b"<a>" * 2_000_000,
        b"<Delete>" + b"<a/>" * 2_000_000 + b"</Delete>",
        b'<!DOCTYPE x [<!ENTITY a "'
        + b"a" * 1000
        + b'">'
        + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 9) for n in range(9))
        + b"]><Delete>&j;</Delete>",
    ],
    "ranges": [b"\0\xffbytes=" + b"0-," * 500_000],
    "policies": [b"[" * 500_000, b'{"a":' * 200_000, b"9" * 500_000],
    "heads": [b"/b/k?" + b"a&" * 500_000, b"/b/" + b"%61" * 300_000],
    "header-signature": [b"AWS4-HMAC-SHA256 " + b"a=b," * 20_000],
    "query-signature": [b"/?" + b"X-Amz-Date=1&" * 20_000],
    "forms": [
        b"\xff" + b"--b\r\nA: b\r\n" * 50_000,
        b"\xff--b\r\n" + b"A" * 1_000_000,
        b"\xff" + b"\r" * 1_000_000,
    ],
    "chunks": [b"\2\xff\x05" + b"0" * 1_000_000, b"\2\0\xff" + b"1\r\na\r\n" * 50_000],
    "records": [b"\x0a\x23\xd7\xce\xff\xff\xff\x1f" * 10_000],
    "tables": [b"," * 1_000_000, b"1\n" * 300_000, b'"' * 500_000],
    "sparse": [b"1 " + b"1:1 " * 50_000, b"1 99999999999:1\n"],
    "archives": [bytes(1 << 20)],
    "queries": [
        b"(" * 20_000,
        b"not " * 5_000,
        b"x" * 1_000_000,
        b"'" + b"\\" * 19_000,
        b"name.matches('" + b"(a{9})" * 80 + b"')",
        b"name.matches('" + b"(" * 80 + b"a" + b"{99})" * 80 + b"')",
        b"starred" + b" or starred" * 890,
        b"duration" + b"%2" * 8 + b">0",
    ],
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_cost_little(name: str) -> None:
    for data in BOMBS[name]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        began = time.process_time()
        TARGETS[name].run(data)
        seconds = time.process_time() - began
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) << 10
        assert seconds < 5, (seconds, data[:40])
        assert grown < 400 << 20, (grown, data[:40])
