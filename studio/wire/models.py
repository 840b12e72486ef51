"""botocore's bundled service models: the schema of everything that Studio speaks.

One of the same form is Studio's own: the service `studio`, of what its panels show and AWS has no
operation for. Nothing in them is restated elsewhere. They are read when first needed, each of them
once: many first requests at the same time must not all read the largest, 15 MB.
"""

import threading
from functools import cache

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel

from studio.environment import models_folder

_models: dict[str, ServiceModel] = {}
_reading = threading.Lock()


def service_model(name: str) -> ServiceModel:
    """The model of a service by its botocore name, such as `sagemaker-runtime`."""
    found = _models.get(name)
    return _read(name) if found is None else found


def operation_model(service: str, operation: str) -> OperationModel | None:
    """The model of an operation, or None when the service has none of that name."""
    model = service_model(service)
    return model.operation_model(operation) if operation in _names(service) else None


def _read(name: str) -> ServiceModel:
    with _reading:
        if name not in _models:
            loader = Loader(extra_search_paths=[str(models_folder())])
            _models[name] = ServiceModel(loader.load_service_model(name, "service-2"), name)
        return _models[name]


@cache
def _names(service: str) -> frozenset[str]:
    return frozenset(service_model(service).operation_names)
