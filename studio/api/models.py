"""Models: an image, an artifact and an environment under a name."""

from urllib.parse import unquote, urlsplit

from studio.api import images, model_package_names, multi_models, store
from studio.api.registry import Context, operation
from studio.api.training_checks import check_environment
from studio.db.resources import Doc, Resource, Summary
from studio.errors import ValidationException
from studio.runners import sandbox
from studio.s3.client import hosted_bucket, parse_uri
from studio.s3.index import StoredObject

NOUN = store.Noun(
    kind="model",
    missing=store.could_not_find("model"),
    taken=store.already_existing("model"),
)


@operation("sagemaker", "CreateModel")
def create_model(ctx: Context, request: Doc) -> Doc:
    made = store.made(ctx, NOUN, request["ModelName"]) or _created(ctx, request)
    return {"ModelArn": made.arn}


def _created(ctx: Context, request: Doc) -> Resource:
    both = {"PrimaryContainer", "Containers"} & request.keys()
    if len(both) != 1:
        raise ValidationException(
            "You must provide either PrimaryContainer or Containers, but not both."
        )
    if request.get("EnableNetworkIsolation") and not sandbox.possible(ctx.settings):
        raise ValidationException(
            "EnableNetworkIsolation needs bubblewrap, which does not work here or is switched off."
        )
    if request.get("VpcConfig"):
        raise ValidationException("VpcConfig is not executed yet.")
    served = [it for each in containers(request) for it in model_package_names.served(ctx, each)]
    multi_models.check(request, served)
    for container in served:
        _check(ctx, container)
    # A copy: packages may be changed and deleted, and the model stays what it is.
    packaged = any("ModelPackageName" in it for it in served)
    state: Doc = {"Containers": served} if packaged else {}
    return store.create(ctx, NOUN, request["ModelName"], request, status="InService", state=state)


@operation("sagemaker", "DescribeModel")
def describe_model(ctx: Context, request: Doc) -> Doc:
    return described(store.require(ctx, NOUN, request["ModelName"]))


@operation("sagemaker", "ListModels")
def list_models(ctx: Context, request: Doc) -> Doc:
    return store.listing(ctx, NOUN, request, _summary, "Models")


@operation("sagemaker", "DeleteModel")
def delete_model(ctx: Context, request: Doc) -> Doc:
    """Endpoints that serve the model keep it: they hold a copy of its definition."""
    store.delete(ctx, NOUN, request["ModelName"])
    return {}


def described(model: Resource) -> Doc:
    """The definition, and what is known of it."""
    return {
        "EnableNetworkIsolation": False,
        **model.spec,
        "ModelArn": model.arn,
        "CreationTime": model.created_at,
    }


def definition(model: Resource) -> Doc:
    """What endpoints serve: the request, with the containers of the packages that it names."""
    if "Containers" not in model.state:
        return model.spec
    kept = {name: it for name, it in model.spec.items() if name != "PrimaryContainer"}
    return {**kept, "Containers": model.state["Containers"]}


def containers(model: Doc) -> list[Doc]:
    """The containers of a model definition, in the order in which a request passes them."""
    primary = model.get("PrimaryContainer")
    return [primary] if primary else list(model.get("Containers", []))


def data_url(container: Doc) -> str | None:
    """Where a container's model.tar.gz lies, in either of the ways to say it."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    url: str | None = container.get("ModelDataUrl", source.get("S3Uri"))
    return url


def changed(container: Doc, etag: str) -> str:
    """What to say of an artifact that is not the one which the container pins by its ETag."""
    source = container.get("ModelDataSource", {}).get("S3DataSource", {})
    pinned: str = (source.get("ETag") or container.get("ModelDataETag", "")).strip('"')
    if pinned in ("", etag.strip('"')):
        return ""
    return (
        f"Artifact digest changed: the ETag of {data_url(container)} is {etag}, and the model has "
        f"{pinned}. Create a model of what is there now, or put the artifact back."
    )


def artifact(container: Doc) -> tuple[str, str] | None:
    """(bucket, key) of a container's model.tar.gz, given as s3:// or https:// URL."""
    url = data_url(container)
    if url is None:
        return None
    if not url.startswith("https://"):
        return parse_uri(url)
    parts = urlsplit(url)
    bucket = hosted_bucket(parts.netloc)
    if bucket is None:
        raise ValidationException(f"ModelDataUrl {url} is not an address of Amazon S3.")
    return bucket, unquote(parts.path.lstrip("/"))


def data(ctx: Context, container: Doc) -> StoredObject | None:
    """A container's model.tar.gz; None when it names none, or many. Raises ValidationException when
    it is not there, or is not the one that the container pins."""
    location = artifact(container)
    if location is None:
        return None
    bucket, key = location
    there = ctx.store.bucket_exists(bucket)
    if there and multi_models.several(container):
        return None  # what lies below it comes and goes
    there = there and bool(key)
    found = ctx.store.head(bucket, key) if there else None
    if found is None:
        raise ValidationException(f"Could not find model data at s3://{bucket}/{key}.")
    if said := changed(container, found.etag):
        raise ValidationException(said)
    return found


def _check(ctx: Context, container: Doc) -> None:
    if "Image" not in container:
        raise ValidationException("Image is required, or ModelPackageName.")
    program = images.require(ctx.settings, images.served(ctx.settings, container))
    if program.framework == "python" and not program.scripted:
        raise ValidationException(f"The image {container['Image']} has no server of its own.")
    check_environment(ctx, program, container.get("Environment", {}))
    source = container.get("ModelDataSource", {}).get("S3DataSource")
    if source is not None and source["CompressionType"] != "Gzip":
        raise ValidationException("ModelDataSource: only CompressionType Gzip is executed yet.")
    data(ctx, container)


def _summary(model: Summary) -> Doc:
    return {"ModelName": model.name, "ModelArn": model.arn, "CreationTime": model.created_at}
