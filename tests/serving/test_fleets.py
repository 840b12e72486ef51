"""An endpoint that is being updated: an old fleet and a new one, each with a share of requests."""

from collections import Counter

import pytest
from botocore.exceptions import ClientError
from serving_support import exchange

from studio.serving.limits import Limits
from studio.serving.routes import Routes
from studio.serving.table import Table, Variant, load_table, table_path

ONE_FOR_ALL = True
ASKED = 20_000
NOBODY = "127.0.0.1:1"


def routes(*variants: Variant) -> Routes:
    made = Routes(Limits(), set())
    made.update(Table(1, "0" * 12, "us-east-1", {}, {"echo": variants}))
    return made


def fleet(number: int, share: float, weights: dict[str, float], port: int = 1) -> list[Variant]:
    return [
        Variant(name, weight, (f"127.0.0.1:{port + index}",), fleet=str(number), share=share)
        for index, (name, weight) in enumerate(weights.items())
    ]


def drawn(table: Routes, name: str | None = None) -> dict[str, float]:
    """The share that each server gets, by its port."""
    found = Counter(table.find("echo", name).servers[0].address[1] for _ in range(ASKED))
    return {str(port): count / ASKED for port, count in found.items()}


def test_requests_go_by_the_shares_of_fleets_and_the_weights_within():
    table = routes(*fleet(1, 0.9, {"a": 30.0, "b": 10.0}), *fleet(2, 0.1, {"a": 1.0}, 5))
    assert drawn(table) == pytest.approx({"1": 0.675, "2": 0.225, "5": 0.1}, abs=0.02)
    assert drawn(table, "a") == pytest.approx({"1": 0.9, "5": 0.1}, abs=0.02)
    assert drawn(table, "b") == {"2": 1.0}


def test_a_fleet_without_a_share_is_asked_when_there_is_no_other():
    waiting, empty = fleet(1, 0.0, {"a": 0.0}), Variant("a", fleet="2")
    assert drawn(routes(*waiting, *fleet(2, 1.0, {"a": 1.0}, 5))) == {"5": 1.0}
    assert drawn(routes(*waiting, empty)) == {"1": 1.0}
    assert drawn(routes(*waiting, empty), "a") == {"1": 1.0}


def test_each_fleet_is_shadowed_by_its_own():
    shadow = Variant("s", 1.0, ("127.0.0.1:9",), shadow="r.2", fleet="2", share=0.5)
    table = routes(*fleet(1, 0.5, {"a": 1.0}), *fleet(2, 0.5, {"b": 2.0}, 5), shadow)
    assert table.find("echo", "a").shadows == ()
    assert [it.share for it in table.find("echo", "b").shadows] == [0.5]


def test_whom_the_new_fleet_does_not_take_the_old_one_answers(router, model):
    new = Variant("new", 1.0, (NOBODY,), fleet="2", share=1.0)
    old = Variant("old", 1.0, (model.address,), fleet="1", share=0.0)
    router.write({"echo": [old, new]})
    for _ in range(5):
        answer = exchange(router, router.request(b"fast"))
        assert answer.status == 200
        assert answer.headers["x-amzn-invoked-production-variant"] == "old"
    # But who asks for a variant gets that one or none.
    with pytest.raises(ClientError) as refused:
        router.client().invoke_endpoint(EndpointName="echo", Body=b"x", TargetVariant="new")
    assert refused.value.response["Error"]["Code"] == "ServiceUnavailable"
    named = Variant("old", 1.0, (NOBODY,), fleet="2", share=1.0)
    router.write({"echo": [old, named]})
    client = router.client()
    answer = client.invoke_endpoint(EndpointName="echo", Body=b"fast", TargetVariant="old")
    assert answer["InvokedProductionVariant"] == "old"


def test_the_table_keeps_fleets(router, model):
    made = fleet(2, 0.25, {"a": 1.0})
    router.write({"echo": made})
    assert load_table(table_path(router.home)).endpoints["echo"] == tuple(made)
