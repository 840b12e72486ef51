"""botocore's bundled service models: the schema of everything that Studio speaks.

Nothing in them is restated elsewhere. They are read when first needed.
"""

from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel


@cache
def service_model(name: str) -> ServiceModel:
    """The model of a service by its botocore name, such as `sagemaker-runtime`."""
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def operation_model(service: str, operation: str) -> OperationModel | None:
    """The model of an operation, or None when the service has none of that name."""
    model = service_model(service)
    return model.operation_model(operation) if operation in _names(service) else None


@cache
def _names(service: str) -> frozenset[str]:
    return frozenset(service_model(service).operation_names)
