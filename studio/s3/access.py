"""Whether a principal may do something to a bucket or a key: S3's side of the one authority.

The key is the decoded one that is acted upon, never the path of the request.
"""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING

from studio.identity.authority import Ask, Authority, Denied
from studio.identity.documents import Malformed, Policy, parse
from studio.identity.principals import Principal
from studio.s3.errors import S3Error
from studio.s3.message import Request, parse_copy_source

if TYPE_CHECKING:
    from studio.s3.store import ObjectStore

Facts = Callable[[str], tuple[str, str] | None]
"""Bucket -> (its owner, the text of its policy or ""); None when there is no such bucket."""

# What a request does, by its method and sub-resource, as policies call it.
_SERVICE = {("GET", ""): "ListAllMyBuckets"}
_BUCKET = {
    ("GET", ""): "ListBucket",
    ("HEAD", ""): "ListBucket",
    ("GET", "versions"): "ListBucketVersions",
    ("GET", "location"): "GetBucketLocation",
    ("GET", "uploads"): "ListBucketMultipartUploads",
    ("PUT", ""): "CreateBucket",
    ("DELETE", ""): "DeleteBucket",
    ("POST", "delete"): "DeleteObject",
    ("POST", ""): "PutObject",
    ("GET", "versioning"): "GetBucketVersioning",
    ("PUT", "versioning"): "PutBucketVersioning",
    ("GET", "lifecycle"): "GetLifecycleConfiguration",
    ("PUT", "lifecycle"): "PutLifecycleConfiguration",
    ("DELETE", "lifecycle"): "PutLifecycleConfiguration",
    ("GET", "policy"): "GetBucketPolicy",
    ("PUT", "policy"): "PutBucketPolicy",
    ("DELETE", "policy"): "DeleteBucketPolicy",
    ("GET", "policyStatus"): "GetBucketPolicyStatus",
    ("GET", "cors"): "GetBucketCORS",
    ("PUT", "cors"): "PutBucketCORS",
    ("DELETE", "cors"): "PutBucketCORS",
    ("GET", "tagging"): "GetBucketTagging",
    ("PUT", "tagging"): "PutBucketTagging",
    ("DELETE", "tagging"): "PutBucketTagging",
    ("GET", "acl"): "GetBucketAcl",
    ("PUT", "acl"): "PutBucketAcl",
    ("GET", "encryption"): "GetEncryptionConfiguration",
    ("PUT", "encryption"): "PutEncryptionConfiguration",
    ("DELETE", "encryption"): "PutEncryptionConfiguration",
    ("GET", "ownershipControls"): "GetBucketOwnershipControls",
    ("PUT", "ownershipControls"): "PutBucketOwnershipControls",
    ("DELETE", "ownershipControls"): "PutBucketOwnershipControls",
    ("GET", "publicAccessBlock"): "GetBucketPublicAccessBlock",
    ("PUT", "publicAccessBlock"): "PutBucketPublicAccessBlock",
    ("DELETE", "publicAccessBlock"): "PutBucketPublicAccessBlock",
}
_BUCKET |= {
    (method, name): f"{'Get' if method == 'GET' else 'Put'}{action}"
    for name, action in {
        "accelerate": "AccelerateConfiguration",
        "logging": "BucketLogging",
        "notification": "BucketNotification",
        "object-lock": "BucketObjectLockConfiguration",
        "replication": "ReplicationConfiguration",
        "requestPayment": "BucketRequestPayment",
        "website": "BucketWebsite",
    }.items()
    for method in ("GET", "PUT", "DELETE")
}
_OBJECT = {
    ("GET", ""): "GetObject",
    ("HEAD", ""): "GetObject",
    ("GET", "attributes"): "GetObjectAttributes",
    ("GET", "tagging"): "GetObjectTagging",
    ("GET", "acl"): "GetObjectAcl",
    ("GET", "uploadId"): "ListMultipartUploadParts",
    ("PUT", ""): "PutObject",
    ("PUT", "tagging"): "PutObjectTagging",
    ("PUT", "acl"): "PutObjectAcl",
    ("PUT", "uploadId"): "PutObject",
    ("POST", "uploads"): "PutObject",
    ("POST", "uploadId"): "PutObject",
    ("DELETE", ""): "DeleteObject",
    ("DELETE", "tagging"): "DeleteObjectTagging",
    ("DELETE", "uploadId"): "AbortMultipartUpload",
}
_VERSIONED = {
    "GetObject",
    "DeleteObject",
    "GetObjectAcl",
    "GetObjectAttributes",
    "GetObjectTagging",
    "PutObjectTagging",
    "DeleteObjectTagging",
}
_ALWAYS_THE_OWNERS = {"s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"}
"""AWS's root user has these whatever a policy denies: nobody is locked out for ever."""
_CONDITION_HEADERS = ("x-amz-acl", "x-amz-server-side-encryption")
_CONDITION_QUERIES = {"prefix": "s3:prefix", "delimiter": "s3:delimiter", "max-keys": "s3:max-keys"}


def facts(store: "ObjectStore", bucket: str) -> tuple[str, str] | None:
    """The owner of a bucket, and the text of its policy."""
    try:
        found = store.bucket(bucket)
    except S3Error:
        return None
    return found.owner, str(found.settings.get("policy") or "")


class Access:
    """Decides for the gateway and for the platform's own door. `facts` tell of a bucket.

    A bucket that is not in `policed` has no policy: the home's owner needs no look at it.
    """

    def __init__(
        self, authority: Authority, facts: Facts, policed: Collection[str] = frozenset()
    ) -> None:
        self._authority = authority
        self._facts = facts
        self._policed = policed

    def check(
        self,
        principal: Principal,
        action: str,
        bucket: str,
        key: str = "",
        context: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        """`action` is like `s3:GetObject`. Raises S3Error AccessDenied."""
        if principal.kind == "owner" and (
            bucket not in self._policed or action in _ALWAYS_THE_OWNERS
        ):
            return
        # A bucket is made under a name that is free: whose it may be by now, the store says.
        facts = self._facts(bucket) if bucket and action != "s3:CreateBucket" else None
        place = f"{bucket}/{key}" if key else bucket or "*"
        ask = Ask(
            action,
            f"arn:aws:s3:::{place}",
            owner=facts[0] if facts else None,
            context=context,
            attached=_policy(facts[1]) if facts else (),
        )
        try:
            self._authority.check(principal, ask)
        except Denied as error:
            raise S3Error("AccessDenied", error.message) from None

    def allows(self, principal: Principal, action: str, bucket: str, key: str = "") -> bool:
        try:
            self.check(principal, action, bucket, key)
        except S3Error:
            return False
        return True

    def is_free(self, principal: Principal, request: Request) -> bool:
        """Whether `check_request` lets a request pass anyway; told without reading anything."""
        copies = bool(self._policed) and "x-amz-copy-source" in request.headers
        return principal.kind == "owner" and request.bucket not in self._policed and not copies

    def check_request(self, principal: Principal, request: Request, sub_resource: str) -> None:
        """What one request of HTTP does, the source of a copy included. Raises S3Error."""
        if self.is_free(principal, request):
            return
        action = action_of(request, sub_resource)
        # Each key of a deletion of many is asked for by itself.
        if action == "DeleteObject" and not request.key:
            return
        if request.method == "POST" and not request.key and not sub_resource:
            return  # a form: its key is in its body
        self.check(principal, f"s3:{action}", request.bucket, request.key, _context(request))
        if "x-amz-copy-source" in request.headers:
            bucket, key, version = parse_copy_source(request.headers["x-amz-copy-source"])
            action = "s3:GetObjectVersion" if version else "s3:GetObject"
            self.check(principal, action, bucket, key)


def action_of(request: Request, sub_resource: str) -> str:
    """The action's name without its prefix; raises S3Error for a request that has none."""
    table = _OBJECT if request.key else _BUCKET if request.bucket else _SERVICE
    action = table.get((request.method, sub_resource))
    if action is None:
        raise S3Error("AccessDenied", "Access Denied")
    # The null version is as old as any other.
    if "versionId" in request.query and action in _VERSIONED:
        return action.replace("Object", "ObjectVersion")
    return action


def _context(request: Request) -> dict[str, tuple[str, ...]]:
    known: dict[str, tuple[str, ...]] = {
        name: (request.query[parameter],)
        for parameter, name in _CONDITION_QUERIES.items()
        if parameter in request.query
    }
    known |= {
        f"s3:{name}": (request.headers[name],)
        for name in _CONDITION_HEADERS
        if name in request.headers
    }
    return known


def _policy(text: str) -> Policy:
    """A stored policy was checked when it was put; one that is not any more allows nothing."""
    if not text:
        return ()
    try:
        return parse(text, "resource")
    except Malformed:
        return ()
