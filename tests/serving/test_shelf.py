"""Which models stay and which go, decided without doing anything."""

from studio.serving.shelf import Model, Shelf


def shelf(*targets: str, **limits) -> Shelf:
    """Models of ten bytes, loaded in this order."""
    made = Shelf(limits.get("memory", 0), limits.get("count", 0))
    for target in targets:
        made.put(Model(target, f"name-{target}", "etag", 10, ready=True))
    return made


def names(victims: list[Model] | None) -> list[str] | None:
    return None if victims is None else [model.target for model in victims]


def test_without_limits_nothing_goes():
    assert names(shelf("a", "b").victims(10**12)) == []


def test_the_one_that_was_not_used_for_longest_goes():
    known = shelf("a", "b", "c", count=3)
    known.use("a")
    assert names(known.victims(1)) == ["b"]


def test_as_many_go_as_the_memory_takes():
    assert names(shelf("a", "b", "c", memory=30).victims(15)) == ["a", "b"]
    assert names(shelf("a", "b", "c", memory=40).victims(10)) == []


def test_who_has_requests_goes_last():
    known = shelf("a", "b", count=2)
    known.models()[0].in_flight = 1
    assert names(known.victims(1)) == ["b"]


def test_what_is_pinned_or_on_its_way_stays():
    known = shelf("a", "b", count=2)
    known.pinned = frozenset({"a", "b"})
    assert known.victims(1) is None
    assert known.oldest() is None
    known.pinned = frozenset({"a"})
    known.models()[1].ready = False
    assert known.victims(1) is None


def test_a_model_that_is_larger_than_all_is_tried_alone():
    assert names(shelf("a", "b", memory=20).victims(100)) == ["a", "b"]


def test_a_model_takes_the_place_of_the_one_before():
    known = shelf("a")
    (before,) = known.models()
    assert known.put(Model("a", "other", "etag", 10)) is before
    known.drop(before)
    assert [model.name for model in known.models()] == ["other"]
