"""Events of one's own: every one read once in the order of times, however they came; and gone."""

import random

import pytest
from sqlalchemy import literal, select

from studio.db import migrate
from studio.db.session import Database
from studio.db.tables import LOG_CHUNK, LOG_STREAM
from studio.logs import chunks, reading, store
from studio.logs.chunks import Event
from studio.logs.reading import Place, Wanted
from studio.logs.store import DAY, Group, Order, Stream

NOW = 1_700_000_000_000
GROUP = Group("0" * 12, "us-east-1", "team", "", NOW)


@pytest.fixture
def db(database_url):
    database = Database(database_url)
    migrate.upgrade(database)
    database.write(lambda connection: store.insert_group(connection, GROUP))
    yield database
    database.close()


def stream(db: Database, name: str) -> Stream:
    made = Stream(GROUP.id, name, NOW)
    db.write(lambda connection: store.insert_stream(connection, made))
    return made


def add(db: Database, to: Stream, *events: tuple[int, str]) -> None:
    made = [Event(at, NOW, text) for at, text in events]
    db.write(lambda connection: chunks.append(connection, to.id, made))


def count(db: Database, table) -> int:
    with db.read() as connection:
        return len(connection.execute(select(table.c[table.primary_key.columns.keys()[0]])).all())


def everything(db: Database, ids, limit: int, **window) -> list[tuple[int, str]]:
    """All pages forwards."""
    place: Place | None = Place(0, "", 0)
    found = []
    with db.read() as connection:
        while place is not None:
            wanted = Wanted(ids, window.get("start", 0), window.get("end", 2**62), limit)
            page = reading.forwards(connection, wanted, place)
            assert len(page.events) <= limit
            found += page.events
            place = page.next
    return [(each.at, each.message) for each in found]


def test_batches_that_overlap_are_read_in_order_from_both_ends(db, monkeypatch):
    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 600)
    monkeypatch.setattr(chunks, "_CHUNK_EVENTS", 16)
    monkeypatch.setattr(reading, "_SCAN_BYTES", 700)
    source = random.Random(7)
    streams = [stream(db, name) for name in ("one", "two")]
    written: dict[str, list[tuple[int, str]]] = {each.id: [] for each in streams}
    for number in range(60):
        to = source.choice(streams)
        times = sorted(NOW + source.randrange(50) for _ in range(source.randrange(1, 9)))
        batch = [(at, f"{number}-{place}") for place, at in enumerate(times)]
        add(db, to, *batch)
        written[to.id] += batch
    right = {each.id: sorted(written[each.id], key=lambda it: it[0]) for each in streams}
    for each, limit in ((streams[0], 1), (streams[1], 7), (streams[0], 1_000)):
        ids = select(literal(each.id))
        assert everything(db, ids, limit) == right[each.id]
        start, end = NOW + 10, NOW + 20
        inside = [it for it in right[each.id] if start <= it[0] < end]
        assert everything(db, ids, limit, start=start, end=end) == inside
        place, found = Place(2**62, each.id, 0), []
        with db.read() as connection:
            while page := reading.backwards(
                connection, Wanted(ids, 0, 2**62, max(limit, 5)), place
            ).events:
                found = [(it.at, it.message) for it in page] + found
                place = page[0].place
        assert found == right[each.id]
    both = everything(db, store.stream_ids(GROUP.id, "", None), 9)
    order = sorted(each.id for each in streams)
    assert both == sorted((it for name in order for it in right[name]), key=lambda it: it[0])


def test_many_small_batches_make_few_chunks(db):
    one = stream(db, "one")
    for number in range(200):
        add(db, one, (NOW + number, str(number)))
    assert count(db, LOG_CHUNK) <= 12
    texts = [text for _, text in everything(db, select(literal(one.id)), 1_000)]
    assert texts == [str(number) for number in range(200)]


def test_a_page_holds_a_megabyte_and_one_event_at_least(db):
    one = stream(db, "one")
    for number in range(5):
        add(db, one, (NOW + number, str(number) * 400_000))
    with db.read() as connection:
        ids = select(literal(one.id))
        page = reading.forwards(connection, Wanted(ids, 0, 2**62, 10), Place(0, "", 0))
        assert [it.message[0] for it in page.events] == ["0", "1"]
        last = reading.backwards(connection, Wanted(ids, 0, 2**62, 10), Place(2**62, "", 0))
        assert [it.message[0] for it in last.events] == ["3", "4"]
    assert len(everything(db, ids, 10)) == 5


@pytest.mark.parametrize("sign", [1, -1])
def test_a_page_that_is_full_has_no_gap(db, monkeypatch, sign: int):
    """A small event of the last chunk would still fit in where a large one before it did not."""
    monkeypatch.setattr(chunks, "_CHUNK_BYTES", 800_000)
    large = "x" * 700_000
    batches = [[(0, "a"), (5, f"d{large}")], [(2, "b"), (6, f"e{large}")], [(3, "c"), (9, "f")]]
    for number, batch in enumerate(batches):
        times = [(NOW + sign * at, text) for at, text in batch]
        add(db, stream(db, str(number)), *times[::sign])
    right = "abcdef"[::sign]
    ids = store.stream_ids(GROUP.id, "", None)
    assert "".join(text[0] for _, text in everything(db, ids, 10)) == right
    place, found = Place(2**62, "", 0), ""
    with db.read() as connection:
        while page := reading.backwards(connection, Wanted(ids, 0, 2**62, 10), place).events:
            found = "".join(it.message[0] for it in page) + found
            place = page[0].place
    assert found == right


def test_what_expires_leaves_and_what_is_deleted_leaves(db, monkeypatch):
    monkeypatch.setattr(store, "_CHUNKS_AT_ONCE", 3)
    monkeypatch.setattr(chunks, "_CHUNK_EVENTS", 1)
    one, two = stream(db, "one"), stream(db, "two")
    for number in range(10):
        add(db, one, (NOW + number * DAY, f"day {number}"))
        add(db, two, (NOW, "x"))

    def retained(now: int) -> None:
        while db.write(lambda connection: store.retain(connection, now)):
            pass

    retained(NOW + 1_000 * DAY)
    assert count(db, LOG_CHUNK) == 20
    limited = Group(**{**vars(GROUP), "retention_days": 5})
    db.write(lambda connection: store.save_group(connection, limited))
    retained(NOW + 9 * DAY)
    assert count(db, LOG_CHUNK) == 6
    with db.read() as connection:
        left = store.find_stream(connection, GROUP.id, "one")
        assert (left.first_at, left.last_at) == (NOW + 4 * DAY, NOW + 9 * DAY)
        assert left.bytes == 6 * (5 + 26)
    db.write(lambda connection: store.remove_group(connection, GROUP.id))
    retained(NOW)
    assert (count(db, LOG_CHUNK), count(db, LOG_STREAM)) == (0, 0)


def test_streams_in_pages_of_both_orders(db):
    for number in range(5):
        made = stream(db, f"s{number}")
        if number:
            add(db, made, (NOW - number // 2, "x"))
    by_time = ["s0", "s4", "s2", "s3", "s1"]
    for by, names in ((False, sorted(by_time)), (True, by_time)):
        for descending in (False, True):
            after, found = None, []
            with db.read() as connection:
                while page := store.streams(
                    connection, GROUP.id, "", Order(by, descending, after), 2
                ):
                    found += [each.name for each in page]
                    after = (page[-1].last_at or 0, page[-1].name)
            assert found == (names[::-1] if descending else names)
