"""Makes unmodified AWS clients at home in Studio. Python runs it at its start, by PYTHONPATH.

It does nothing unless STUDIO_URL is set and AWS_ENDPOINT_URL equals it. Otherwise it changes, when
and if they are imported: the STS address and the telemetry of the SageMaker SDKs (v1, v2, v3),
their polls of 5 to 30 seconds, their endless checks of one configuration, and botocore's waiters of
clients whose endpoint is Studio. Scripts of jobs and servers run in the environment of the
interpreter that asks for them, and where a job came from is recorded with it.
Python 3.6 or newer, standard library only; a failure here must never break a program.
"""
# mypy: allow-untyped-defs, allow-untyped-calls
# (importing typing would cost every Python process a millisecond or three)

import os
import sys

_URL = os.environ.get("STUDIO_URL", "")
_FIRST_SECONDS = 0.15  # a poll in the first minute of a wait
_LATER_SECONDS = 0.5  # and afterwards
_LONG_WAIT = 60.0
_NEW_WAIT = 5.0  # so long after the last poll the next one begins another wait

_BOTOCORE = ("botocore.waiter", "botocore.configprovider", "botocore.session")
_PYTHON_IMAGE = "python:%d.%d" % sys.version_info[:2]
_IMAGES = {
    "CreateTrainingJob": ("AlgorithmSpecification", "TrainingImage"),
    "CreateProcessingJob": ("AppSpecification", "ImageUri"),
}
"""Operation that makes a job -> where its image is named."""
_IMAGE_VARIABLE = "SAGEMAKER_INTERNAL_IMAGE_URI"  # the SDK's, for what `@remote` runs in
_INTERPRETER_VARIABLE = "STUDIO_PYTHON"
# Images that run what the user wrote, whether the request names a script or a command.
_SCRIPT_IMAGES = (
    "python",
    "sagemaker-scikit-learn",
    "sagemaker-pytorch",
    "pytorch-training",
    "pytorch-inference",
    "huggingface-pytorch-training",
    "huggingface-pytorch-inference",
)
# Modules that compare times to decide when to ask again: their differences run ahead.
_CLOCKED = (
    "sagemaker.session",
    "sagemaker.core.helper.session_helper",
    "sagemaker.core.processing",
    "sagemaker.core.remote_function.job",
    "sagemaker.core.transformer",
)
# Modules that only sleep between two questions, for as long as it takes. One that counts its
# questions is not here: it would lose its patience.
_POLLING = (
    "sagemaker.aws_batch.training_queued_job",
    "sagemaker.core.experiments.experiment",
    "sagemaker.core.experiments.trial_component",
    "sagemaker.core.remote_function.client",
    "sagemaker.core.resources",
    "sagemaker.experiments.experiment",
    "sagemaker.experiments.trial_component",
    "sagemaker.remote_function.client",
    "sagemaker.train.aws_batch.training_queued_job",
    "sagemaker.train.common_utils.job_wait",
    "sagemaker.train.common_utils.log_streamer",
    "sagemaker.train.common_utils.trainer_wait",
)


def _chain():
    """Run the sitecustomize that this one hides, if there is one."""
    import importlib  # its public importlib.util would cost a few milliseconds more

    here = os.path.realpath(os.path.dirname(__file__))  # noqa: PTH120  pathlib is slow to import
    path = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = importlib._bootstrap_external.PathFinder.find_spec("sitecustomize", path)
    if spec is None or spec.loader is None:
        return
    module = importlib._bootstrap.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)


class _Finder:
    """Finds what the others find, and patches the modules that matter once they have run."""

    def find_spec(self, name, path=None, target=None):
        if name not in _BOTOCORE and not name.startswith("sagemaker."):
            return None
        for finder in sys.meta_path:
            find = None if finder is self else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                _patch_after_run(spec)
                return spec
        return None


def _patch_after_run(spec):
    run = getattr(spec.loader, "exec_module", None)
    if run is None:
        return

    def exec_module(module):
        del spec.loader.exec_module
        run(module)
        try:
            _patch(spec.name, module)
        except Exception as error:  # the program is worth more than our comfort
            sys.stderr.write("studio: %s stays as it is: %r\n" % (spec.name, error))

    try:
        spec.loader.exec_module = exec_module
    except AttributeError:
        pass  # a loader without a __dict__: compiled in, and none that we know


def _patch(name, module):
    members = vars(module)
    if name == "botocore.waiter":
        _tighten_waiters(module)
        return
    if name == "botocore.session":
        _listen(module)
        return
    if "sts_regional_endpoint" in members:
        module.sts_regional_endpoint = lambda region: _URL
    if name.endswith("telemetry.telemetry_logging") and "_telemetry_emitter" in members:
        module._telemetry_emitter = _no_telemetry
    if "_ensure_sagemaker_dependency" in members:
        _keep_packages(module)
    _patch_configuration(name, module)
    if name in _CLOCKED and "time" in members:
        module.time = _Clock(members["time"], ahead=True)
    elif name in _POLLING and "time" in members:
        module.time = _Clock(members["time"], ahead=False)


def _patch_configuration(name, module):
    if name == "botocore.configprovider":
        _quieten("botocore.configprovider")  # of each client, where it found its address
    if name.endswith("config.config_utils"):
        _quieten("sagemaker.config")  # on each start, which files it read
    if hasattr(module, "SAGEMAKER_PYTHON_SDK_CONFIG_SCHEMA") and hasattr(module, "jsonschema"):
        module.jsonschema = _OneCheck(module.jsonschema)


def _no_telemetry(*args, **kwargs):
    """In the place of a decorator factory: the functions stay as they are."""
    return lambda function: function


def _keep_packages(module):
    """A remote function runs in this program's own environment: the SDK is there already, and
    a job need not ask a package index for it. What the user wants installed, is."""
    ensure = module._ensure_sagemaker_dependency
    module._ensure_sagemaker_dependency = lambda path: ensure(path) if path else path


def _quieten(logger_name):
    """What Studio itself brings about is no news to the user."""
    import logging

    logger = logging.getLogger(logger_name)
    if logger.level == logging.NOTSET:
        logger.setLevel(logging.WARNING)


class _OneCheck:
    """A module's own `jsonschema`: what has passed a schema passes it again without a look. The
    SDKs check all of the configuration, and the schema too, for each argument of each estimator."""

    def __init__(self, jsonschema):
        self._real = jsonschema
        self._passed = []

    def __getattr__(self, name):
        return getattr(self._real, name)

    def validate(self, instance, schema):
        check = (repr(instance), id(schema))
        if check not in self._passed:
            self._real.validate(instance, schema)
            self._passed.append(check)


class _Moment(float):
    """The time, exactly; but the difference of two includes the sleep that was left out.

    So "30 seconds since the last Describe" comes early, and "now + timeout" does not.
    """

    ahead = 0.0

    def __sub__(self, other):
        difference = float(self) - float(other)
        return difference + self.ahead - other.ahead if isinstance(other, _Moment) else difference


class _Clock:
    """A module's own `time`: sleeps between polls are short, everything else is the real one."""

    def __init__(self, time, ahead):
        from threading import local

        self._real = time
        self._ahead = ahead
        self._state = local()

    def __getattr__(self, name):
        return getattr(self._real, name)

    def time(self):
        now = self._real.time()
        if not self._ahead:
            return now
        moment = _Moment(now)
        moment.ahead = getattr(self._state, "ahead", 0.0)
        return moment

    def sleep(self, seconds):
        state, now = self._state, self._real.monotonic()
        if now - getattr(state, "last", float("-inf")) > _NEW_WAIT:
            state.since = now
        pause = _FIRST_SECONDS if now - state.since < _LONG_WAIT else _LATER_SECONDS
        pause = min(seconds, pause)
        self._real.sleep(pause)
        state.ahead = getattr(state, "ahead", 0.0) + seconds - pause
        state.last = self._real.monotonic()


def _tighten_waiters(module):
    create = module.create_waiter_with_client

    def create_waiter_with_client(waiter_name, waiter_model, client, *args, **kwargs):
        waiter = create(waiter_name, waiter_model, client, *args, **kwargs)
        if client.meta.endpoint_url == _URL:
            waiter.wait = _brisk_wait(waiter, waiter.wait, module.WaiterError)
        return waiter

    module.create_waiter_with_client = create_waiter_with_client


def _brisk_wait(waiter, wait, waiter_error):
    """The same patience in all, in shorter steps."""

    def brisk(**kwargs):
        config = dict(kwargs.pop("WaiterConfig", None) or {})
        delay = config.get("Delay", waiter.config.delay)
        patience = delay * config.get("MaxAttempts", waiter.config.max_attempts)
        if delay <= _FIRST_SECONDS:
            return wait(WaiterConfig=config, **kwargs)
        first = min(patience, _LONG_WAIT)
        try:
            return wait(WaiterConfig=_steps(_FIRST_SECONDS, first), **kwargs)
        except waiter_error as error:
            if patience <= first or "Max attempts exceeded" not in str(error):
                raise
        return wait(WaiterConfig=_steps(min(delay, _LATER_SECONDS), patience - first), **kwargs)

    return brisk


def _listen(module):
    """To what a session's clients of SageMaker ask for."""
    start = module.Session.__init__

    def begin(self, *args, **kwargs):
        start(self, *args, **kwargs)
        for job in _IMAGES:
            self.register("provide-client-params.sagemaker." + job, _with_interpreter)
        self.register("provide-client-params.sagemaker.CreateModel", _with_server_interpreter)
        if os.environ.get("STUDIO_PROVENANCE") != "off":
            for made in (*_IMAGES, "CreateTrialComponent"):
                self.register("before-call.sagemaker." + made, _note_signer)
                self.register("after-call.sagemaker." + made, _record_provenance)

    module.Session.__init__ = begin


def _with_interpreter(params, **_context):
    """A job that runs a script finds the packages that this program has."""
    named = [(params.get(part) or {}).get(member) for part, member in _IMAGES.values()]
    image = next(filter(None, named), "")
    scripted = "sagemaker_program" in (params.get("HyperParameters") or {})
    return _interpreted(params, image, scripted) or None


def _with_server_interpreter(params, **_context):
    """And so does the server of a model with a script."""
    params, primary = dict(params), params.get("PrimaryContainer")
    if primary:
        params["PrimaryContainer"] = _served(primary)
    elif params.get("Containers"):
        params["Containers"] = [_served(it) for it in params["Containers"]]
    return params


def _served(container):
    scripted = "SAGEMAKER_PROGRAM" in (container.get("Environment") or {})
    return _interpreted(container, container.get("Image"), scripted) or container


def _interpreted(params, image, scripted):
    given = params.get("Environment") or {}
    name = str(image or "").rpartition("/")[2].partition(":")[0]
    if not (scripted or name in _SCRIPT_IMAGES) or _INTERPRETER_VARIABLE in given:
        return None
    python = os.path.abspath(sys.executable)  # noqa: PTH100  begun as ../env/bin/python
    return dict(params, Environment=dict(given, **{_INTERPRETER_VARIABLE: python}))


def _note_signer(params, request_signer, context, **_more):
    if params["url"].startswith(_URL):
        context["studio_signer"] = request_signer


def _record_provenance(http_response, parsed, context, **_more):
    signer = context.pop("studio_signer", None)
    if signer is None or http_response.status_code != 200:
        return
    try:
        import studio_provenance  # type: ignore[import-not-found]

        arn = next(value for name, value in parsed.items() if name.endswith("Arn"))
        studio_provenance.record(signer, _URL, context["client_region"], arn)
    except Exception as error:  # it is made, whatever we fail to remember of it
        import logging

        logging.getLogger("studio.provenance").debug("not recorded: %r", error)


def _steps(delay, patience):
    return {"Delay": delay, "MaxAttempts": max(1, int(patience / delay))}


def _record_imports(path):
    """At the end of this program, add to the file the names of the modules that it had imported."""

    def record():
        modules = list(sys.modules.items())
        found = [name for name, it in modules if _is_installed(it)]
        try:
            with open(path, "a") as file:  # noqa: PTH123
                file.write("\n".join(found) + "\n")
        except OSError:
            pass

    import atexit

    atexit.register(record)


def _is_installed(module):
    """It is a file, and none that came with the job."""
    origin = str(getattr(getattr(module, "__spec__", None), "origin", None))
    return origin.startswith("/") and not origin.startswith(("/opt/ml/", "/tmp/"))


if os.environ.get("STUDIO_RECORD_IMPORTS"):
    _record_imports(os.environ["STUDIO_RECORD_IMPORTS"])
try:
    _chain()
except Exception as error:
    sys.stderr.write("studio: the sitecustomize behind Studio's failed: %r\n" % (error,))
if _URL and os.environ.get("AWS_ENDPOINT_URL") == _URL:
    sys.meta_path.insert(0, _Finder())
    os.environ.setdefault(_IMAGE_VARIABLE, _PYTHON_IMAGE)
