"""What a resource says of its turn: its priority, and whether others may interrupt it.

The priority is a tag, `studio:priority`: it can be given with every job by every SDK, be changed
while the job waits, and policies decide who may set it (`aws:RequestTag/studio:priority`).
"""

from collections.abc import Iterable, Mapping

from studio.db.resources import Doc, Resource
from studio.errors import ValidationException

TAG = "studio:priority"
INTERRUPTIBLE = "studio:interruptible"
LEAST, MOST = -9999, 9999


def of(resource: Resource) -> int:
    """Higher goes first; 0 when nobody said."""
    return next((int(tag["Value"]) for tag in resource.tags if tag["Key"] == TAG), 0)


def preemptible(resource: Resource) -> bool:
    """Managed spot training, and other jobs with a tag: whoever asks for it is ready to be
    interrupted. A processing job begins anew then, for it has no checkpoints; a transform job goes
    on with the files that it has not finished."""
    tagged = {"Key": INTERRUPTIBLE, "Value": "true"} in resource.tags
    processes = resource.kind in ("processing-job", "transform-job")
    return bool(resource.spec.get("EnableManagedSpotTraining")) or (processes and tagged)


def tag(priority: int) -> Doc:
    """The tag that says so."""
    return {"Key": TAG, "Value": str(priority)}


def check(tags: Iterable[Mapping[str, str]]) -> None:
    """Raises ValidationException for a priority that is none."""
    for each in tags:
        if each["Key"] == TAG and not _valid(each["Value"]):
            raise ValidationException(
                f"The tag {TAG} must be a whole number from {LEAST} to {MOST}, "
                f"not {each['Value']!r}: jobs with a higher one go first."
            )


def _valid(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= 4
