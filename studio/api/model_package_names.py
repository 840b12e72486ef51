"""Model packages and their groups by name or ARN, and what a model that is made of one serves.

A version of a group is called `GROUP/3`; a package of no group has a name of its own.
"""

from collections.abc import Callable

from studio.api import store
from studio.api.registry import Context
from studio.db.resources import Doc, Resource
from studio.errors import ApiError, ValidationException

_SERVED = (
    *("ContainerHostname", "Image", "ModelDataUrl", "ModelDataSource"),
    *("AdditionalModelDataSources", "Environment", "ModelDataETag"),
)
"""What a container of a package says of its server."""


def _missing(what: str) -> Callable[[Resource], ApiError]:
    return lambda it: ValidationException(f"{what} {it.arn} does not exist.")


def _taken(what: str) -> Callable[[Resource], ApiError]:
    return lambda it: ValidationException(f"{what} already exists: {it.arn}")


GROUP = store.Noun(
    "model-package-group", _missing("ModelPackageGroup"), _taken("ModelPackageGroup")
)
PACKAGE = store.Noun("model-package", _missing("ModelPackage"), _taken("ModelPackage"))


def plain(ctx: Context, noun: store.Noun, name_or_arn: str) -> str:
    """The name that is meant. Raises ValidationException for an ARN of another home or kind."""
    if not name_or_arn.startswith("arn:"):
        return name_or_arn
    name = name_or_arn.rpartition(":")[2].partition("/")[2]
    if name_or_arn != store.arn(ctx, noun.kind, name):
        what = noun.kind.replace("-", " ").title().replace(" ", "")
        raise ValidationException(f"{what} {name_or_arn} does not exist.")
    return name


def group(ctx: Context, name_or_arn: str) -> Resource:
    """Raises ValidationException when there is none."""
    return store.require(ctx, GROUP, plain(ctx, GROUP, name_or_arn))


def package(ctx: Context, name_or_arn: str) -> Resource:
    """Raises ValidationException when there is none."""
    return store.require(ctx, PACKAGE, plain(ctx, PACKAGE, name_or_arn))


def group_of(package: Resource) -> str:
    """Name of the group that it is a version of; "" for one of no group."""
    return package.name.partition("/")[0] if "/" in package.name else ""


def version_of(package: Resource) -> int | None:
    """Its number in its group."""
    number = package.name.partition("/")[2]
    return int(number) if number else None


def served(ctx: Context, container: Doc) -> list[Doc]:
    """The containers that a container of a model stands for: those of its package, or itself.

    Raises ValidationException for a version that is not approved.
    """
    if "ModelPackageName" not in container:
        return [container]
    for member in ("Image", "ModelDataUrl", "ModelDataSource"):
        if member in container:
            raise ValidationException(f"{member} cannot be given beside ModelPackageName.")
    found = package(ctx, container["ModelPackageName"])
    if group_of(found) and found.status != "Approved":
        raise ValidationException(
            f"Model package {found.arn} cannot be deployed: its ModelApprovalStatus is "
            f"{found.status}. Have it approved by UpdateModelPackage first."
        )
    environment = container.get("Environment", {})
    return [
        {
            **{name: it[name] for name in _SERVED if name in it},
            **({"Environment": {**it.get("Environment", {}), **environment}}),
            "ModelPackageName": found.arn,
        }
        for it in _specification(found, container.get("InferenceSpecificationName"))["Containers"]
    ]


def _specification(package: Resource, name: str | None) -> Doc:
    """The InferenceSpecification of a package, or the additional one of that name."""
    if name is not None:
        for it in package.spec.get("AdditionalInferenceSpecifications", ()):
            if it["Name"] == name:
                return dict(it)
        raise ValidationException(f"Model package {package.arn} has no specification {name!r}.")
    found: Doc | None = package.spec.get("InferenceSpecification")
    if found is None:
        raise ValidationException(
            f"Model package {package.arn} has no InferenceSpecification: it cannot be deployed. "
            "UpdateModelPackage adds one."
        )
    return found
