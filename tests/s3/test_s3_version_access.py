"""To read or delete an older version is a permission of its own, on every way to it."""

from typing import Any

import pytest

from studio.identity.principals import Principal
from studio.s3.access import Access, action_of
from studio.s3.message import Request

VERSION = "0" * 32


def request(method: str, query: dict[str, str], **headers: str) -> Request:
    return Request("", method, "/b/k", "b", "k", query, headers)


@pytest.mark.parametrize(
    ("method", "sub_resource", "action"),
    [
        ("GET", "", "GetObjectVersion"),
        ("HEAD", "", "GetObjectVersion"),
        ("DELETE", "", "DeleteObjectVersion"),
        ("GET", "tagging", "GetObjectVersionTagging"),
        ("PUT", "tagging", "PutObjectVersionTagging"),
        ("DELETE", "tagging", "DeleteObjectVersionTagging"),
        ("GET", "attributes", "GetObjectVersionAttributes"),
    ],
)
@pytest.mark.parametrize("version", [VERSION, "null"])
def test_actions(method: str, sub_resource: str, action: str, version: str) -> None:
    query = {sub_resource: "", "versionId": version} if sub_resource else {"versionId": version}
    assert action_of(request(method, query), sub_resource) == action
    del query["versionId"]
    assert action_of(request(method, query), sub_resource) == action.replace("Version", "")


class Asked(Access):
    """Notes what it is asked."""

    def __init__(self) -> None:
        self._policed = ()
        self.actions: list[str] = []

    def check(self, principal: Principal, action: str, *more: Any, **others: Any) -> None:
        self.actions.append(action)


@pytest.mark.parametrize("version", ["", VERSION, "null"])
@pytest.mark.parametrize("name", ["", "uploadId"])
def test_copies(version: str, name: str) -> None:
    source = "bucket/old" + (f"?versionId={version}" if version else "")
    asked = Asked()
    copy = request("PUT", {name: "1"} if name else {}, **{"x-amz-copy-source": source})
    asked.check_request(Principal("user", "bob", "000000000000"), copy, name)
    assert asked.actions == [
        "s3:PutObject",
        "s3:GetObjectVersion" if version else "s3:GetObject",
    ]
