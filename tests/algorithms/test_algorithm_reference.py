"""The page of algorithms is what the programs check."""

from studios import ROOT

from studio.algorithms import reference


def test_the_page_of_algorithms_is_generated() -> None:
    page = (ROOT / "docs" / "reference" / "algorithms.md").read_text()
    assert page == reference.page(), "run `make docs`"
