"""Model packages: versions of a model in a group, or a package under a name of its own.

Registering a version pins its artifact: what is approved is what is deployed, or nothing is.
"""

from collections.abc import Iterable
from dataclasses import replace

from sqlalchemy import ColumnElement, Connection

from studio.api import experiments, model_package_groups, models, store
from studio.api.model_package_names import (
    GROUP,
    PACKAGE,
    group,
    group_of,
    package,
    plain,
    version_of,
)
from studio.api.registry import Context, operation
from studio.db import resources
from studio.db.resources import Doc, Resource
from studio.db.tables import RESOURCE
from studio.errors import ApiError, ValidationException

_NOT_YET = ("SourceAlgorithmSpecification", "ValidationSpecification", "ManagedStorageType")
_PENDING = "PendingManualApproval"
_MOST_PROPERTIES = 50
_REPLACED = (
    *("ModelPackageRegistrationType", "ApprovalDescription", "InferenceSpecification"),
    *("SourceUri", "ModelCard", "ModelLifeCycle"),
)
_BATCH = (
    *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
    *("ModelPackageDescription", "CreationTime", "InferenceSpecification"),
    *("ModelPackageStatus", "ModelApprovalStatus", "ModelPackageRegistrationType"),
)
_SUMMARY = (
    *("ModelPackageName", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn"),
    *("ModelPackageDescription", "CreationTime", "ModelPackageStatus", "ModelApprovalStatus"),
    *("ModelLifeCycle", "ModelPackageRegistrationType"),
)


@operation("sagemaker", "CreateModelPackage")
def create_model_package(ctx: Context, request: Doc) -> Doc:
    name, of = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
    if name and of:
        raise ValidationException(
            "Both ModelPackageName and ModelPackageGroupName are provided in the input. "
            "Cannot determine which one to use."
        )
    if not name and not of:
        raise ValidationException("Missing ARN.")
    ctx = replace(ctx, call=_call(ctx, request))
    made = _versioned(ctx, request) if of else _unversioned(ctx, request)
    return {"ModelPackageArn": made.arn}


@operation("sagemaker", "DescribeModelPackage")
def describe_model_package(ctx: Context, request: Doc) -> Doc:
    found = described(package(ctx, request["ModelPackageName"]))
    if request.get("IncludedData") == "MetadataOnly" and "ModelCard" in found:
        card = {name: it for name, it in found["ModelCard"].items() if name != "ModelCardContent"}
        found["ModelCard"] = card
    return found


@operation("sagemaker", "ListModelPackages")
def list_model_packages(ctx: Context, request: Doc) -> Doc:
    """Those of a group; without one those of no group, unless ModelPackageType says otherwise."""
    asked = {"SortOrder": "Ascending", **request}
    narrowed = _narrowed(ctx, request)
    member = "ModelPackageSummaryList"
    return experiments.listing(ctx, PACKAGE, asked, narrowed, _summary, member)


@operation("sagemaker", "BatchDescribeModelPackage")
def batch_describe_model_package(ctx: Context, request: Doc) -> Doc:
    found: Doc = {}
    failed: Doc = {}
    for arn in request["ModelPackageArnList"]:
        try:
            document = described(package(ctx, arn))
        except ApiError as error:
            failed[arn] = {"ErrorCode": error.code, "ErrorResponse": error.message}
        else:
            # AWS promises both of every package in this answer.
            known = {"ModelPackageGroupName": "", "InferenceSpecification": {"Containers": []}}
            found[arn] = known | {name: document[name] for name in _BATCH if document.get(name)}
    return {"ModelPackageSummaries": found, "BatchDescribeModelPackageErrorMap": failed}


@operation("sagemaker", "UpdateModelPackage")
def update_model_package(ctx: Context, request: Doc) -> Doc:
    pinned = _pinned(ctx, request)

    def change(it: Resource) -> Resource:
        if not group_of(it):
            raise ValidationException(
                f"ModelPackage {it.arn} is of no group: only versions can be updated."
            )
        status = request.get("ModelApprovalStatus", it.status)
        state = {**it.state, "LastModifiedBy": experiments.by(ctx)}
        return replace(it, spec=_changed(it, pinned), status=status, state=state)

    name = plain(ctx, PACKAGE, request["ModelPackageArn"])
    return {"ModelPackageArn": store.change(ctx, PACKAGE, name, change).arn}


@operation("sagemaker", "DeleteModelPackage")
def delete_model_package(ctx: Context, request: Doc) -> Doc:
    """Models that were made of it keep what they serve."""

    def unnamed(connection: Connection, it: Resource) -> None:
        of = resources.find(connection, it.account, it.region, GROUP.kind, group_of(it))
        known = model_package_groups.aliases(of) if of else {}
        named = [alias for alias, number in known.items() if number == str(version_of(it))]
        if named:
            raise ApiError(
                "ConflictException",
                f"Model package {it.arn} has the alias {', '.join(sorted(named))}. "
                "Give it to another version, or remove it from the tags of the group, first.",
            )

    store.delete(ctx, PACKAGE, plain(ctx, PACKAGE, request["ModelPackageName"]), unnamed)
    return {}


def described(it: Resource) -> Doc:
    """The package as Describe and Search tell it."""
    of = group_of(it)
    return {
        "CertifyForMarketplace": False,
        **it.spec,
        # Version 3 of the SDK describes a version again by this name.
        "ModelPackageName": it.name,
        "ModelPackageGroupName": of or None,
        "ModelPackageVersion": version_of(it),
        "ModelPackageArn": it.arn,
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "ModelApprovalStatus": it.status or None,
        **experiments.times(it),
    }


def versions_of(of: str) -> ColumnElement[bool]:
    """Whether a package is a version of the group of that name."""
    return RESOURCE.c.name.startswith(f"{of}/", autoescape=True)


def _versioned(ctx: Context, request: Doc) -> Resource:
    of = plain(ctx, GROUP, request["ModelPackageGroupName"])
    made = store.made(ctx, PACKAGE, of)
    if made is not None:
        return made
    group(ctx, of)
    spec = _checked(ctx, request)
    status = spec.pop("ModelApprovalStatus", _PENDING)
    return store.create_numbered(ctx, PACKAGE, (GROUP, of), spec, status=status, state=_state(ctx))


def _unversioned(ctx: Context, request: Doc) -> Resource:
    name = request["ModelPackageName"]
    made = store.made(ctx, PACKAGE, name)
    if made is not None:
        return made
    if "ModelApprovalStatus" in request:
        raise ValidationException(
            "ModelApprovalStatus can be given to versions only: name a ModelPackageGroupName."
        )
    spec = _checked(ctx, request)
    containers = spec.get("InferenceSpecification", {}).get("Containers")
    if not containers:
        raise ValidationException("InferenceSpecification is required.")
    if any(it.get("Environment") for it in containers):
        raise ValidationException(
            "Environment variable map cannot be specified when using non-versioned ModelPackages"
        )
    return store.create(ctx, PACKAGE, name, spec, state=_state(ctx))


def _call(ctx: Context, request: Doc) -> str:
    """The same for all calls with one ClientToken, which the same is told."""
    token = request.get("ClientToken")
    return f"{ctx.caller.principal.owner} {token}" if token else ctx.call


def _state(ctx: Context) -> Doc:
    return {"CreatedBy": experiments.by(ctx)}


def _checked(ctx: Context, request: Doc) -> Doc:
    """The definition of a new package: artifacts that are there, each with its ETag."""
    for member in _NOT_YET:
        if request.get(member):
            raise ValidationException(f"{member} is not executed yet.")
    if request.get("CertifyForMarketplace"):
        raise ValidationException("CertifyForMarketplace: there is no marketplace here.")
    source = request.get("SourceUri", "")
    if source.startswith("arn:") and "InferenceSpecification" in request:
        raise ValidationException(
            "SourceUri with an ARN says what the package is of: leave InferenceSpecification out."
        )
    if source.startswith("arn:"):
        request = {**request, "InferenceSpecification": _specification(ctx, source)}
    return _pinned(ctx, request)


def _specification(ctx: Context, arn: str) -> Doc:
    """That of the package, or the model, with this ARN."""
    with ctx.db.read() as connection:
        found = store.require_arn(connection, ctx, arn)
    if found.kind == PACKAGE.kind and "InferenceSpecification" in found.spec:
        return dict(found.spec["InferenceSpecification"])
    if found.kind != models.NOUN.kind:
        raise ValidationException(f"SourceUri {arn} is of no model that could be registered.")
    names = ("Image", "ModelDataUrl", "ModelDataSource", "Environment", "ContainerHostname")
    parts = models.containers(models.definition(found))
    return {"Containers": [{name: it[name] for name in names if name in it} for it in parts]}


def _pinned(ctx: Context, request: Doc) -> Doc:
    """The request as it is kept, with the ETags of the artifacts that its containers name."""
    kept = {name: it for name, it in request.items() if name not in _NOT_KEPT}
    if "InferenceSpecification" in kept:
        kept["InferenceSpecification"] = _with_etags(ctx, kept["InferenceSpecification"])
    for member in ("AdditionalInferenceSpecifications", "AdditionalInferenceSpecificationsToAdd"):
        if member in kept:
            kept[member] = [_with_etags(ctx, it) for it in kept[member]]
    return kept


_NOT_KEPT = ("ClientToken", "ModelPackageName", "ModelPackageGroupName", "ModelPackageArn")


def _with_etags(ctx: Context, specification: Doc) -> Doc:
    containers = [_with_etag(ctx, it) for it in specification["Containers"]]
    return {**specification, "Containers": containers}


def _with_etag(ctx: Context, container: Doc) -> Doc:
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    if source.get("S3DataType") == "S3Prefix":
        return container
    found = models.data(ctx, container)
    return container if found is None else {"ModelDataETag": found.etag, **container}


def _changed(it: Resource, request: Doc) -> Doc:
    """The definition with members of the request over it; of properties each by itself."""
    gone = set(request.get("CustomerMetadataPropertiesToRemove", ()))
    given = request.get("CustomerMetadataProperties", {})
    properties = {**it.spec.get("CustomerMetadataProperties", {}), **given}
    properties = {key: value for key, value in properties.items() if key not in gone}
    if len(properties) > _MOST_PROPERTIES:
        raise ValidationException(
            f"{it.arn} would have {len(properties)} CustomerMetadataProperties; "
            f"{_MOST_PROPERTIES} is the maximum."
        )
    added = request.get("AdditionalInferenceSpecificationsToAdd", [])
    additional = [*it.spec.get("AdditionalInferenceSpecifications", []), *added]
    _distinct([each["Name"] for each in additional])
    spec = {**it.spec, **{name: request[name] for name in _REPLACED if name in request}}
    spec |= {"CustomerMetadataProperties": properties} if properties else {}
    if not properties:
        spec.pop("CustomerMetadataProperties", None)
    return {**spec, **({"AdditionalInferenceSpecifications": additional} if additional else {})}


def _distinct(names: Iterable[str]) -> None:
    known = list(names)
    for name in known:
        if known.count(name) > 1:
            raise ValidationException(f"There are two inference specifications called {name}.")


def _narrowed(ctx: Context, request: Doc) -> dict[str, ColumnElement[bool]]:
    found: dict[str, ColumnElement[bool]] = {}
    of, type_ = request.get("ModelPackageGroupName"), request.get("ModelPackageType")
    if of:
        name = group(ctx, of).name
        found[f"group {name}"] = versions_of(name)
    kind = type_ or ("Versioned" if of else "Unversioned")
    if kind != "Both":
        versioned = RESOURCE.c.name.contains("/")
        found[f"type {kind}"] = versioned if kind == "Versioned" else ~versioned
    if status := request.get("ModelApprovalStatus"):
        found[f"approval {status}"] = RESOURCE.c.status == status
    return found


def _summary(it: Resource) -> Doc:
    document = described(it)
    return {name: document[name] for name in _SUMMARY if document.get(name) is not None}
