"""Who may be told of what: whoever may ask for it."""

from dataclasses import replace

from studio.api import access
from studio.api.registry import Caller, Context
from studio.db.resources import Resource
from studio.feed.ring import Subject
from studio.identity.authority import Ask
from studio.identity.principals import Principal

ACTIONS = {
    "training-job": "sagemaker:DescribeTrainingJob",
    "processing-job": "sagemaker:DescribeProcessingJob",
    "transform-job": "sagemaker:DescribeTransformJob",
    "endpoint": "sagemaker:DescribeEndpoint",
    "endpoint-config": "sagemaker:DescribeEndpointConfig",
    "model": "sagemaker:DescribeModel",
    "model-package": "sagemaker:DescribeModelPackage",
    "model-package-group": "sagemaker:DescribeModelPackageGroup",
    "experiment": "sagemaker:DescribeExperiment",
    "experiment-trial": "sagemaker:DescribeTrial",
    "experiment-trial-component": "sagemaker:DescribeTrialComponent",
    "schedule": "scheduler:GetSchedule",
    "scalable-target": "application-autoscaling:DescribeScalableTargets",
    "variant-test": "studio:DescribeVariantTest",
    "load-test": "studio:DescribeLoadTest",
    "alarm": "cloudwatch:DescribeAlarms",
    "application-key": "studio:DescribeApplicationKey",
}
"""Kind of resource -> what one must be allowed to do with it to be told of it."""


def context(ctx: Context, principal: Principal) -> Context:
    """The context in which `principal` is the caller."""
    return replace(ctx, caller=Caller(ctx.settings.account, "", principal))


def sees(ctx: Context, subject: Subject) -> bool:
    """Whether the caller may be told of `subject`."""
    if isinstance(subject, str):
        return ctx.buckets.allows(ctx.caller.principal, "s3:ListBucket", subject)
    if isinstance(subject, Ask):
        return ctx.identity.authority.allows(ctx.caller.principal, subject)
    return access.reaches(replace(ctx, action=ACTIONS[subject.kind]), subject)


def about(kind: str, name: str, arn: str, owner: str) -> Resource:
    """A resource of which no more is known."""
    return Resource("", "", kind, name, arn, "", {}, 0, 0, owner=owner)


def light(resource: Resource) -> Resource:
    """The resource without its documents: what the right to see it hangs on."""
    return replace(resource, spec={}, state={})
