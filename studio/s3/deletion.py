"""The deletion of objects and of versions, one or many."""

from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from studio.s3 import conditions, versions
from studio.s3.errors import S3Error
from studio.s3.message import Call, Response
from studio.s3.names import check_key
from studio.s3.store import Target
from studio.s3.versions import Condition, Removal
from studio.s3.xml import Pairs, document, malformed, parse

_MAX_DELETE = 1000


def delete_object(call: Call) -> Response:
    request = call.request
    version = request.query.get("versionId", "")
    if "versionId" in request.query:
        versions.check_id(version)
    condition = conditions.delete_condition(request.headers)
    [result] = call.store.delete(request.bucket, [Target(request.key, version, condition)])
    if isinstance(result, S3Error):
        raise result
    headers = {}
    if result.version:
        headers["x-amz-version-id"] = result.version
    if result.marker:
        headers["x-amz-delete-marker"] = "true"
    return Response(204, headers)


def delete_objects(call: Call) -> Response:
    root = parse(call.body.data, "Delete")
    elements = root.findall("Object")
    if not 1 <= len(elements) <= _MAX_DELETE:
        raise malformed()
    judged = [_judged(call, element) for element in elements]
    targets = [target for target in judged if isinstance(target, Target)]
    done = iter(call.store.delete(call.request.bucket, targets))
    quiet = (root.findtext("Quiet") or "").lower() == "true"
    listed: list[tuple[str, Pairs]] = []
    for element, target in zip(elements, judged, strict=True):
        result = next(done) if isinstance(target, Target) else target
        if isinstance(result, S3Error):
            listed.append(("Error", _error(element, result)))
        elif not quiet:
            listed.append(("Deleted", _deleted(element, result)))
    return Response(body=document("DeleteResult", listed))


def _judged(call: Call, element: Element) -> Target | S3Error:
    key, version = element.findtext("Key"), element.findtext("VersionId") or ""
    if not key:
        raise malformed()
    try:
        action = "s3:DeleteObjectVersion" if version else "s3:DeleteObject"
        if not call.permits(action, call.request.bucket, key):
            raise S3Error("AccessDenied", "Access Denied")
        if version:
            versions.check_id(version)
        return Target(check_key(key), version, _condition(element))
    except S3Error as error:
        return error


def _condition(element: Element) -> Condition:
    size, modified = element.findtext("Size"), element.findtext("LastModifiedTime")
    try:
        return Condition(
            if_match=element.findtext("ETag") or "",
            size=int(size) if size else None,
            modified=int(parsedate_to_datetime(modified).timestamp()) if modified else None,
        )
    except ValueError as error:
        raise malformed() from error


def _deleted(element: Element, result: Removal) -> Pairs:
    asked = element.findtext("VersionId") or None
    return (
        ("Key", element.findtext("Key")),
        ("VersionId", asked),
        ("DeleteMarker", True if result.marker else None),
        ("DeleteMarkerVersionId", result.version if result.marker else None),
    )


def _error(element: Element, error: S3Error) -> Pairs:
    return (
        ("Key", element.findtext("Key")),
        ("VersionId", element.findtext("VersionId") or None),
        ("Code", error.code),
        ("Message", error.message),
    )
