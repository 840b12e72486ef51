"""AWS's own policies, under AWS's names: those that people who use SageMaker attach.

They are written for what this server executes. Whose things an Allow reaches is decided beside the
policies (see `authority`).
"""

import json

_PREFIX = "arn:aws:iam::aws:policy/"
_SAGEMAKER = (
    "sagemaker:*",
    "studio:*",
    "cloudwatch:*",
    "logs:*",
    "sns:*",
    "ecr:*",
    "application-autoscaling:*",
    "events:*",
    "scheduler:*",
    "iam:GetRole",
    "iam:ListRoles",
    "iam:SimulatePrincipalPolicy",
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
    "s3:ListBucketMultipartUploads",
    "s3:CreateBucket",
    "s3:GetBucketLocation",
    "s3:ListBucket",
    "s3:ListAllMyBuckets",
    "s3:GetBucketCors",
    "s3:PutBucketCors",
    "s3:GetObjectTagging",
    "s3:PutObjectTagging",
    "s3:GetObjectAcl",
    "s3:PutObjectAcl",
    # Nothing here executes these; typed clients ask whether a role has them before a job.
    "ec2:CreateNetworkInterface",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteNetworkInterfacePermission",
    "ec2:Describe*",
    "glue:GetDatabase",
    "glue:GetPartitions",
    "glue:GetTable",
)


def _policy(*statements: dict[str, object]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _allow(*actions: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


_PASS_ROLE = _allow(
    "iam:PassRole",
    Condition={
        "StringEquals": {
            "iam:PassedToService": ["sagemaker.amazonaws.com", "scheduler.amazonaws.com"]
        }
    },
)

POLICIES: dict[str, str] = {
    _PREFIX + name: text
    for name, text in {
        "AdministratorAccess": _policy({"Effect": "Allow", "Action": "*", "Resource": "*"}),
        "AmazonSageMakerFullAccess": _policy(_allow(*_SAGEMAKER), _PASS_ROLE),
        "AmazonSageMakerReadOnly": _policy(
            _allow(
                "sagemaker:Describe*",
                "sagemaker:List*",
                "sagemaker:Get*",
                "sagemaker:Search",
                "sagemaker:BatchGetMetrics",
                "studio:Check*",
                "studio:Count*",
                "studio:Describe*",
                "studio:Get*",
                "studio:Group*",
                "studio:List*",
                "studio:Query*",
                "studio:Rank*",
                "studio:ReadLog",
                "studio:SearchLog",
                "studio:StreamEvents",
                "cloudwatch:Describe*",
                "cloudwatch:Get*",
                "cloudwatch:List*",
                "logs:Describe*",
                "logs:Get*",
                "logs:FilterLogEvents",
                "scheduler:Get*",
                "scheduler:List*",
            )
        ),
        "AmazonS3FullAccess": _policy(_allow("s3:*")),
        "AmazonS3ReadOnlyAccess": _policy(_allow("s3:Get*", "s3:List*")),
        "CloudWatchFullAccess": _policy(_allow("cloudwatch:*", "logs:*")),
        "AmazonSNSFullAccess": _policy(_allow("sns:*")),
        "CloudWatchLogsFullAccess": _policy(_allow("logs:*")),
        "IAMReadOnlyAccess": _policy(
            _allow("iam:Get*", "iam:List*", "iam:SimulatePrincipalPolicy")
        ),
        "IAMFullAccess": _policy(_allow("iam:*")),
    }.items()
}
"""ARN -> document."""

SAGEMAKER_FULL_ACCESS = _PREFIX + "AmazonSageMakerFullAccess"
S3_FULL_ACCESS = _PREFIX + "AmazonS3FullAccess"
ADMINISTRATOR_ACCESS = _PREFIX + "AdministratorAccess"
