"""Data sets with nothing, little or too much in them: every verb answers, or says why not."""

import itertools
import json
from typing import get_args

import pytest

from studio.data.chart import chart
from studio.data.compare import compare
from studio.data.documents import encoded
from studio.data.errors import DataError
from studio.data.profile import profile
from studio.data.protocol.charts import ChartRequest, ChartSpec, Kind
from studio.data.protocol.comparisons import CompareRequest
from studio.data.protocol.data import Condition
from studio.data.protocol.profiles import ProfileRequest
from studio.data.protocol.tables import RowsRequest
from studio.data.rows import rows

ODD = {
    "a header alone": "a,b\n",
    "one row": "a,b\n1,x\n",
    "nothing but gaps": "a,b\n,\n,\n",
    "one column": "a\n1\n2\n\n3\n",
    "all times": "t,u\n2024-01-01,2024-01-02\n2024-02-01,\n1500-01-01,9999-12-31\n",
    "truths": "a,b\ntrue,false\nfalse,\n",
    "great numbers": "a,b\n9007199254740993,1e308\n-9007199254740993,-1e308\n1,1e-308\n",
    "infinities": "a,b\ninf,1\ninf,2\n-inf,3\n",
    "odd names": "from,rows, ,to\n1,2,3,4\n5,6,7,8\n",
    "constants": "a,b\n5,x\n5,x\n5,x\n",
}
MORE = [{}, {"color": 0, "facet": -1}, {"aggregate": "median", "value": 0, "method": "spearman"}]


def answers(verb, request, room) -> bool:
    """Whether there is one; a DataError is words for the user, anything else a bug."""
    refusal = refused(verb, request, room)
    assert refusal is None or (refusal.code, refusal.message[-1]) == ("BadRequest", ".")
    return refusal is None


def refused(verb, request, room) -> DataError | None:
    try:
        json.loads(encoded(verb(request, room)))
    except DataError as error:
        return error
    return None


@pytest.mark.parametrize("name", list(ODD))
def test_every_chart(name, made, room) -> None:
    source = made(ODD[name])
    names = [it.name for it in rows(RowsRequest(source), room).columns]
    places = [*names, None]
    drawn = 0
    for kind, x, y, more in itertools.product(get_args(Kind), places, places, MORE):
        options = {role: names[it] if isinstance(it, int) else it for role, it in more.items()}
        spec = ChartSpec(kind, x=x, y=y, **options)
        drawn += answers(chart, ChartRequest(source, spec), room)
    assert drawn


@pytest.mark.parametrize("name", list(ODD))
def test_profiles_and_comparisons(name, made, room) -> None:
    source = made(ODD[name])
    found = profile(ProfileRequest(source), room)
    for it in found.columns:
        assert answers(profile, ProfileRequest(source, it.name), room)
    for number, text in enumerate(ODD.values()):
        other = made(text, f"{number}.csv")
        assert answers(compare, CompareRequest(source, other), room)


def test_great_whole_numbers_are_compared_exactly(made, room) -> None:
    source = made(ODD["great numbers"])
    for value, count in ((2**53, 1), ("9007199254740992", 1), (2**53 + 2, 0), (0.5, 2), (1e30, 0)):
        request = RowsRequest(source, filters=[Condition("greater", "a", value)])
        assert rows(request, room).matching == count, value
