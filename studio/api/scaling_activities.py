"""What a scalable target did, does, and did not: its activities, in AWS's words.

The one under way is the target's `state["Activity"]`; those that are over are in `Activities`, the
last ones of which are kept.
"""

from dataclasses import replace

from studio.api import scalable_targets
from studio.api.registry import Context, operation
from studio.api.scaling import Choice
from studio.db.resources import Doc, Resource

_KEPT = 100
_ALERTED = "Attempting to scale due to alarm triggered"


@operation("application-autoscaling", "DescribeScalingActivities")
def describe_scaling_activities(ctx: Context, request: Doc) -> Doc:
    """The youngest first, as AWS has it."""
    also = request.get("IncludeNotScaledActivities", False)
    found = [
        described(target, each)
        for target in scalable_targets.every(ctx, request)
        for each in of(target)
        if also or "NotScaledReasons" not in each
    ]
    found.sort(key=lambda it: it["StartTime"], reverse=True)
    placed = [(f"{number:06}", it) for number, it in enumerate(found)]
    members = ("ServiceNamespace", "ResourceId", "ScalableDimension", "IncludeNotScaledActivities")
    return scalable_targets.page(request, members, placed, "ScalingActivities")


def of(target: Resource) -> list[Doc]:
    """The activities of a target, the oldest first."""
    running = target.state.get("Activity")
    return [*target.state["Activities"], *([running] if running else [])]


def described(target: Resource, activity: Doc) -> Doc:
    """As DescribeScalingActivities answers."""
    hidden = ("From", "To", "Asked", "Policy")
    shown = {name: value for name, value in activity.items() if name not in hidden}
    return {**scalable_targets.named(target), **shown}


def begun(target: Resource, cause: str, counts: tuple[int, int], now: int, policy: str) -> Resource:
    """The target with an activity that is to take its variant from one count to the other.
    `policy`: which wants it, "" for its limits."""
    activity = {
        "ActivityId": _id(target, now),
        "Description": f"Setting desired instance count to {counts[1]}.",
        "Cause": cause,
        "StartTime": now,
        "StatusCode": "Pending",
        "StatusMessage": "Waiting for the endpoint to take the change.",
        "From": counts[0],
        "To": counts[1],
        "Policy": policy,
    }
    return replace(target, state={**target.state, "Activity": activity})


def asked(target: Resource) -> Resource:
    """The target whose endpoint has taken the change."""
    count = target.state["Activity"]["To"]
    text = f"Successfully set desired instance count to {count}. Waiting for change to be fulfilled"
    told = {"StatusCode": "InProgress", "StatusMessage": f"{text} by sagemaker.", "Asked": True}
    return replace(target, state={**target.state, "Activity": {**target.state["Activity"], **told}})


def succeeded(target: Resource, now: int) -> Resource:
    """The target once as many instances serve as were wanted."""
    count = target.state["Activity"]["To"]
    text = f"Successfully set desired instance count to {count}. Change successfully fulfilled"
    return _ended(target, "Successful", f"{text} by sagemaker.", now)


def failed(target: Resource, reason: str, now: int) -> Resource:
    count = target.state["Activity"]["To"]
    text = f"Failed to set desired instance count to {count}. Reason: {reason}"
    return _ended(target, "Failed", text[:1024], now)


def overridden(target: Resource, count: int, now: int) -> Resource:
    text = f"Something else has set the desired instance count to {count} meanwhile."
    return _ended(target, "Overridden", text, now)


def limited(target: Resource, action: str, limits: Doc, now: int) -> Resource:
    """The target after a scheduled action has set its limits."""
    words = " and ".join(
        f"{word} capacity to {limits[member]}"
        for word, member in (("min", "MinCapacity"), ("max", "MaxCapacity"))
        if member in limits
    )
    done = {
        "ActivityId": _id(target, now),
        "Description": f"Setting {words}",
        "Cause": f"scheduled action name {action} was triggered",
        "StartTime": now,
        "EndTime": now,
        "StatusCode": "Successful",
        "StatusMessage": f"Successfully set {words}",
    }
    return _with(target, done)


def not_scaled(target: Resource, choice: Choice, now: int) -> Resource:
    """The target with a note that a policy fired in vain; the same when its last one says so."""
    last = target.state["Activities"][-1:]
    reason = {
        "Code": choice.reason,
        "MaxCapacity": target.spec["MaxCapacity"],
        "MinCapacity": target.spec["MinCapacity"],
        "CurrentCapacity": choice.count,
    }
    note = {"Cause": choice.proposal.cause, "NotScaledReasons": [reason]}
    if last and {name: last[0].get(name) for name in note} == note:
        return target
    limits = {"AlreadyAtMaxCapacity": "maximum", "AlreadyAtMinCapacity": "minimum"}
    text = f"The variant has the {limits[choice.reason]} of instances that it may have."
    done = {
        "ActivityId": _id(target, now),
        "Description": _ALERTED,
        **note,
        "StartTime": now,
        "EndTime": now,
        "StatusCode": "Failed",
        "StatusMessage": text,
    }
    return _with(target, done)


def _ended(target: Resource, status: str, message: str, now: int) -> Resource:
    state = dict(target.state)
    activity = {**state.pop("Activity"), "StatusCode": status, "StatusMessage": message}
    return _with(replace(target, state=state), {**activity, "EndTime": now})


def _with(target: Resource, done: Doc) -> Resource:
    done.pop("Asked", None)
    past = [*target.state["Activities"], done][-_KEPT:]
    return replace(target, state={**target.state, "Activities": past})


def _id(target: Resource, now: int) -> str:
    """Of the activity that begins now: what is stored of the target tells it from all others."""
    return f"{target.id[:8]}-{target.generation:08x}-{now:x}"
