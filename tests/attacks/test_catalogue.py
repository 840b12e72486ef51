"""The page of attacks is current and complete; the source stays away from what attacks need."""

import ast
from collections.abc import Iterator

import catalogue
from studios import ROOT

# What loads whatever it is told to: only where a job runs, in its own process.
LOADERS = {"pickle", "cPickle", "joblib", "cloudpickle", "dill", "shelve", "marshal", "torch"}
IN_JOBS = ("studio/algorithms/", "studio/container/script/")
# The warm interpreter in which a job's program begins, in the sandbox of its run.
BEGINS_JOBS = "studio/container/worker.py"
CALLS = {"extractall", "eval", "exec", "system", "popen"}


def test_every_attack_has_tests_and_every_test_an_attack():
    assert not catalogue.ATTACKS.keys() & catalogue.ABSENT.keys()
    assert set(catalogue.tests()) == set(catalogue.ATTACKS)


def test_the_page_of_attacks_is_generated():
    page = (ROOT / "docs" / "reference" / "attacks.md").read_text()
    assert page == catalogue.page(), "run `make docs`"


def test_a28_a30_the_source_does_nothing_that_is_forbidden():
    found = [
        f"{path.relative_to(ROOT)}:{line} {what}"
        for path in sorted((ROOT / "studio").rglob("*.py"))
        for line, what in faults(path.read_text(), str(path.relative_to(ROOT)))
    ]
    assert not found


def test_what_is_forbidden_is_found():
    bad = (
        "import pickle\nfrom joblib import load\nimport subprocess\n"
        "subprocess.run('ls', shell=True)\ntar.extractall('x')\n"
        "inside = str(path).startswith(str(root))\ninside = os.fspath(p).startswith(root)\n"
        "host = '0.0.0.0'\nrequests.get(url, verify=False)\neval('1')\nos.system('x')\n"
    )
    assert sorted(line for line, _ in faults(bad, "studio/x.py")) == [
        1,
        2,
        4,
        5,
        6,
        7,
        8,
        9,
        10,
        11,
    ]
    assert not list(faults("import pickle", "studio/algorithms/x.py"))


def faults(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Line and name of what no file may do."""
    for node in ast.walk(ast.parse(text)):
        for what in [*_loads(node, name), *_calls(node)]:
            if (what, name) != ("exec", BEGINS_JOBS):
                yield getattr(node, "lineno", 0), what


def _loads(node: ast.AST, name: str) -> Iterator[str]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [each.name for each in node.names]
    elif isinstance(node, ast.ImportFrom):
        names = [node.module or ""]
    if not name.startswith(IN_JOBS):
        yield from (it for it in names if it.partition(".")[0] in LOADERS)
        # Compared with, it is nothing that anybody listens on.
        if isinstance(node, ast.Call | ast.Assign | ast.AnnAssign | ast.keyword | ast.arguments):
            given = [it for it in ast.iter_child_nodes(node) if isinstance(it, ast.Constant)]
            yield from (it.value for it in given if it.value == "0.0.0.0")


def _calls(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    function = node.func
    called = getattr(function, "attr", getattr(function, "id", ""))
    if called in CALLS and (isinstance(function, ast.Attribute) or called in ("eval", "exec")):
        yield called
    for keyword in node.keywords:
        value = getattr(keyword.value, "value", None)
        if (keyword.arg, value) in (("shell", True), ("verify", False), ("allow_pickle", True)):
            yield f"{keyword.arg}={value}"
    if called == "startswith" and isinstance(function, ast.Attribute):
        inner = function.value
        # Containment is asked of a path itself (is_relative_to), never of its text.
        if (
            isinstance(inner, ast.Call)
            and getattr(inner.func, "id", getattr(inner.func, "attr", ""))
            in ("str", "fspath", "realpath", "abspath", "resolve")
            and not isinstance(node.args[0], ast.Constant)
        ):
            yield "startswith of a path"
