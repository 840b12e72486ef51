"""The variables `SM_*` that a script finds, those of AWS's training toolkit.

https://github.com/aws/sagemaker-training-toolkit/blob/master/ENVIRONMENT_VARIABLES.md
"""

import json
import logging
import os
from typing import Any

from studio.container.script import job as jobs
from studio.container.script.job import Job


def of(job: Job, framework: str) -> dict[str, str]:
    """All of them, for one host of a job."""
    resources, groups = job.resources, job.resources.get("instance_groups", [])
    group = resources.get("current_group_name", "")
    data = job.base / "input" / "data"
    values: dict[str, Any] = {
        "SM_HOSTS": job.hosts,
        "SM_HOST_COUNT": len(job.hosts),
        "SM_CURRENT_HOST": job.host,
        "SM_CURRENT_HOST_RANK": job.rank,
        "SM_MASTER_ADDR": job.first,
        "SM_NETWORK_INTERFACE_NAME": job.interface,
        "SM_CURRENT_INSTANCE_TYPE": resources.get("current_instance_type", ""),
        "SM_CURRENT_INSTANCE_GROUP": group,
        "SM_CURRENT_INSTANCE_GROUP_HOSTS": _hosts(groups, group),
        "SM_INSTANCE_GROUPS": [each.get("instance_group_name") for each in groups],
        "SM_INSTANCE_GROUPS_DICT": {each.get("instance_group_name"): each for each in groups},
        "SM_DISTRIBUTION_INSTANCE_GROUPS": job.own.get("distribution_instance_groups", []),
        "SM_IS_HETERO": len(groups) > 1,
        "SM_HPS": job.hyperparameters,
        "SM_USER_ARGS": jobs.arguments(job.hyperparameters),
        "SM_USER_ENTRY_POINT": job.entry_point,
        "SM_MODULE_NAME": os.path.splitext(job.entry_point)[0],  # noqa: PTH122  it is no path
        "SM_MODULE_DIR": job.own.get("submit_directory", str(job.code)),
        "SM_FRAMEWORK_MODULE": f"studio.container.script:{framework}",
        "SM_FRAMEWORK_PARAMS": {f"sagemaker_{name}": it for name, it in job.own.items()},
        "SM_LOG_LEVEL": job.own.get("container_log_level", logging.INFO),
        "SM_RESOURCE_CONFIG": resources,
        "SM_INPUT_DATA_CONFIG": job.channels,
        "SM_CHANNELS": sorted(job.channels),
        "SM_NUM_CPUS": jobs.cpus(),
        "SM_NUM_GPUS": jobs.gpus(),
        "SM_NUM_NEURONS": 0,
        "SM_INPUT_DIR": job.base / "input",
        "SM_INPUT_CONFIG_DIR": job.base / "input" / "config",
        "SM_OUTPUT_DIR": job.base / "output",
        "SM_OUTPUT_DATA_DIR": job.base / "output" / "data",
        "SM_OUTPUT_INTERMEDIATE_DIR": job.base / "output" / "intermediate",
        "SM_MODEL_DIR": job.base / "model",
        **{f"SM_CHANNEL_{_name(name)}": data / name for name in job.channels},
        **{f"SM_HP_{_name(name)}": it for name, it in job.hyperparameters.items()},
    }
    return {**{name: _text(it) for name, it in values.items()}, "SM_TRAINING_ENV": _whole(values)}


def _hosts(groups: list[dict[str, Any]], name: str) -> list[str]:
    return [host for it in groups if it.get("instance_group_name") == name for host in it["hosts"]]


def _whole(values: dict[str, Any]) -> str:
    """Everything once more, as one document with the names of the toolkit's `Environment`."""
    known = {
        name.removeprefix("SM_").lower(): it
        for name, it in values.items()
        if not name.startswith(("SM_CHANNEL_", "SM_HP_"))
    }
    known["hyperparameters"] = known.pop("hps")
    known["channel_input_dirs"] = {
        name: values[f"SM_CHANNEL_{_name(name)}"] for name in values["SM_CHANNELS"]
    }
    known["job_name"] = os.environ.get("TRAINING_JOB_NAME", "")
    known["is_master"] = values["SM_CURRENT_HOST"] == values["SM_MASTER_ADDR"]
    known["master_hostname"] = values["SM_MASTER_ADDR"]
    return json.dumps(known, sort_keys=True, separators=(",", ":"), default=str)


def _name(name: str) -> str:
    return name.upper().replace("-", "_").replace(".", "_")


def _text(it: Any) -> str:
    return jobs.text(it) if isinstance(it, (str, dict, list, int, float)) else str(it)
