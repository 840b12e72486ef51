"""Batch transform without a job: paths, payloads, filters and joins."""

import io
import struct

import pytest

from studio.container.transform import joining, paths
from studio.container.transform.paths import PathError
from studio.container.transform.records import Damaged, Payload, payloads

DOCUMENT = {"id": 7, "a": {"b": [1, 2, 3]}, "rows": [{"x": 1, "y": 2}, {"x": 3, "y": 4}]}
SELECTED = [
    ("$", DOCUMENT),
    ("$.a.b[-1]", 3),
    ("$['a']['b']", [1, 2, 3]),
    ("$.a.b[0,2]", [1, 3]),
    ("$.a.b[1:]", [2, 3]),
    ("$.a.b[:-1]", [1, 2]),
    ("$.rows[*].x", [1, 3]),
    ("$.a.*", [[1, 2, 3]]),
    ("$['id','a']", {"id": 7, "a": {"b": [1, 2, 3]}}),
    ("$.rows[0:2]['x','y']", [{"x": 1, "y": 2}, {"x": 3, "y": 4}]),
]


@pytest.mark.parametrize(("path", "value"), SELECTED)
def test_paths_select(path, value):
    assert paths.parse(path).select(DOCUMENT) == value


@pytest.mark.parametrize(
    "path", ["", "a", "$.", "$[", "$[?(@.x)]", "$..a", "$[1:2:3]", "$['a'", "$.a b", "$[a]"]
)
def test_what_is_no_path_is_refused(path):
    with pytest.raises(PathError):
        paths.parse(path)


@pytest.mark.parametrize("path", ["$.none", "$.a.b[3]", "$[0]", "$.id.x", "$.id[1:]", "$.id.*"])
def test_what_is_not_there_is_an_error(path):
    with pytest.raises(PathError):
        paths.parse(path).select(DOCUMENT)


def split(data: bytes, kind: str = "Line", strategy: str = "MultiRecord", most: int = 10) -> list:
    return list(payloads(io.BytesIO(data), kind, strategy, most))


@pytest.mark.parametrize("most", range(2, 40))
def test_blocks_are_whole_lines_in_order(most: int):
    lines = [b"a,1", b"", b"bb,2", b"ccccccccccccc", b" ", b"d", b"e" * 9]
    made = split(b"\n".join(lines), most=most)
    wanted = [(n, it) for n, it in enumerate(lines, 1) if it.strip()]
    fits = [(n, it) for n, it in wanted if len(it) <= most]
    said = [each for it in made for each in it.lines()]
    assert said == fits
    assert {it.first for it in made if it.oversized} == {n for n, _ in wanted} - {
        n for n, _ in fits
    }
    assert all(len(it.data) <= most for it in made)
    assert sum(it.count for it in made) == len(wanted)


def test_single_lines():
    made = split(b"a\r\n\nlonger than ten\nb", strategy="SingleRecord")
    assert [(it.data, it.first, it.oversized) for it in made] == [
        (b"a", 1, False),
        (b"", 3, True),
        (b"b", 4, False),
    ]


def test_a_file_that_is_not_split():
    (made,) = split(b"0123456789", "None")
    assert (made.data, made.whole, made.oversized) == (b"0123456789", True, False)
    (made,) = split(b"0123456789a", "None")
    assert made.oversized
    assert split(b"", "None") == []


def record_io(body: bytes) -> bytes:
    return struct.pack("<II", 0xCED7230A, len(body)) + body + b"\0" * (-len(body) % 4)


def tf_record(body: bytes) -> bytes:
    return struct.pack("<QI", len(body), 0) + body + b"crc!"


@pytest.mark.parametrize(("kind", "frame"), [("RecordIO", record_io), ("TFRecord", tf_record)])
def test_frames_stay_whole(kind, frame):
    frames = [frame(bytes([n]) * n) for n in (3, 5, 60, 1)]
    data = b"".join(frames)
    made = split(data, kind, most=48)
    assert [(it.data, it.first, it.count, it.oversized) for it in made] == [
        (frames[0] + frames[1], 1, 2, False),
        (b"", 3, 1, True),
        (frames[3], 4, 1, False),
    ]
    assert [it.data for it in made[0].halves()] == frames[:2]
    assert [it.count for it in split(data, kind, "SingleRecord", 1000)] == [1] * 4
    with pytest.raises(Damaged):
        split(data[:-1], kind, most=1000)


def test_halves_keep_the_numbers_of_lines():
    (made,) = split(b"a\n\nb\nc\n", most=100)
    first, second = made.halves()
    assert (first.lines(), second.lines()) == ([(1, b"a")], [(3, b"b"), (4, b"c")])
    assert second.halves()[1].first == 4


def processed(given: bytes, answer: bytes, kind: str = "text/csv", **values) -> tuple[bytes, bytes]:
    document = {
        "content_type": kind,
        "accept": "",
        "input_filter": "$",
        "join": False,
        "output_filter": "$",
        **values,
    }
    it, payload = joining.of(document), Payload(given, 1, given.count(b"\n") + 1)
    return it.request(payload), it.result(payload, answer, kind)


def test_rows_of_csv():
    given = b'7,"a,b",1\r\n8,c,2'
    sent, kept = processed(
        given, b"0.5\n0.25", input_filter="$[1:]", join=True, output_filter="$[0,-1]"
    )
    assert (sent, kept) == (b'"a,b",1\nc,2', b"7,0.5\n8,0.25")
    assert processed(given, b"x\ny", join=True)[1] == b'7,"a,b",1,x\n8,c,2,y'
    assert processed(given, b"x,1\ny,2", output_filter="$[1]")[1] == b"1\n2"


def test_lines_of_json():
    given = b'{"id":1,"f":[1,2]}\n{"id":2,"f":[3,4]}'
    sent, kept = processed(
        given,
        b'{"score":0.5}\n{"score":0.25}\n',
        "application/jsonlines",
        input_filter="$.f",
        join=True,
        output_filter="$['id','SageMakerOutput']",
    )
    assert sent == b"[1,2]\n[3,4]"
    assert kept == (
        b'{"id":1,"SageMakerOutput":{"score":0.5}}\n{"id":2,"SageMakerOutput":{"score":0.25}}'
    )


def test_a_document_of_json():
    kind = "application/json"
    assert processed(b"[1,2]", b"3", kind, join=True)[1] == (
        b'{"SageMakerInput":[1,2],"SageMakerOutput":3}'
    )
    assert processed(b'{"a":1}', b"[3]", kind, join=True)[1] == b'{"a":1,"SageMakerOutput":[3]}'


@pytest.mark.parametrize(
    ("given", "answer", "values"),
    [
        (b"1,2\n3,4", b"0.5", {"join": True}),
        (b"1,2", b"0.5", {"input_filter": "$[5]"}),
        (b"1,2", b"0.5", {"join": True, "output_filter": "$[7]"}),
        (b"{", b"{}", {"kind": "application/json", "input_filter": "$.a"}),
        (b"\xff", b"1", {"input_filter": "$[0]"}),
        (b"x", b"1", {"kind": "image/png", "output_filter": "$[0]"}),
    ],
)
def test_what_does_not_fit_is_said(given, answer, values):
    with pytest.raises(joining.Unfit):
        processed(given, answer, **values)
