"""The error codes of S3 and the HTTP status that each carries."""

from typing import Any

from studio.errors import ApiError

_STATUS = {
    "AccessDenied": 403,
    "AccessForbidden": 403,
    "BucketAlreadyExists": 409,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "ExpectationFailed": 417,
    "InsufficientStorage": 507,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidPartNumber": 416,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchCORSConfiguration": 404,
    "NoSuchKey": 404,
    "NoSuchLifecycleConfiguration": 404,
    "NoSuchPublicAccessBlockConfiguration": 404,
    "NoSuchTagSet": 404,
    "NoSuchUpload": 404,
    "NoSuchVersion": 404,
    "NoSuchWebsiteConfiguration": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "ObjectLockConfigurationNotFoundError": 404,
    "OwnershipControlsNotFoundError": 404,
    "PreconditionFailed": 412,
    "ReplicationConfigurationNotFoundError": 404,
    "RequestTimeTooSkewed": 403,
    "ServerSideEncryptionConfigurationNotFoundError": 404,
    "ServiceUnavailable": 503,
    "SignatureDoesNotMatch": 403,
}


class S3Error(ApiError):
    """An answer of S3; `details` become elements of the error document beside Code and Message."""

    def __init__(self, code: str, message: str, **details: Any) -> None:
        super().__init__(code, message, _STATUS.get(code, 400))
        self.details = details
        self.headers: dict[str, str] = {}


def no_such_bucket(bucket: str) -> S3Error:
    return S3Error("NoSuchBucket", "The specified bucket does not exist", BucketName=bucket)


def no_such_key(key: str) -> S3Error:
    return S3Error("NoSuchKey", "The specified key does not exist.", Key=key)


def no_such_version(key: str, version: str) -> S3Error:
    return S3Error(
        "NoSuchVersion", "The specified version does not exist.", Key=key, VersionId=version
    )


def deleted(key: str, version: str, code: str) -> S3Error:
    """What was asked for is a delete marker, which says so in the headers of the answer."""
    error = no_such_key(key)
    if code == "MethodNotAllowed":
        error = S3Error(
            code,
            "The specified method is not allowed against this resource.",
            ResourceType="DeleteMarker",
        )
        error.headers["allow"] = "DELETE"
    error.headers |= {"x-amz-delete-marker": "true", "x-amz-version-id": version}
    return error


def no_such_upload(upload: str) -> S3Error:
    return S3Error(
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may "
        "have been aborted or completed.",
        UploadId=upload,
    )


def precondition_failed(condition: str) -> S3Error:
    return S3Error(
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
        Condition=condition,
    )


def not_implemented(what: str) -> S3Error:
    return S3Error("NotImplemented", f"{what} is not implemented by this store.")


def invalid_argument(name: str, value: str, message: str) -> S3Error:
    return S3Error("InvalidArgument", message, ArgumentName=name, ArgumentValue=value)
