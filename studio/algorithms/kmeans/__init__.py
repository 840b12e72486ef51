"""kmeans: web-scale k-means, online with more centres than wanted, shrunk by Lloyd's algorithm.

Light to import: the control plane reads `IMAGE`; numbers load with the program.
"""

from studio.algorithms.image import Image
from studio.algorithms.inputs import CSV, RECORDIO, Accepted, Input, Inputs

_LINE = r"#quality_metric: host=\S+, "

IMAGE = Image(
    name="kmeans",
    repositories=("kmeans",),
    tags=("1", "latest"),
    module="studio.algorithms.kmeans",
    uri="382416733822.dkr.ecr.us-east-1.amazonaws.com/kmeans:1",
    metrics=(
        ("test:msd", _LINE + r"test msd <loss>=(\S+)"),
        ("test:ssd", _LINE + r"test ssd <loss>=(\S+)"),
        ("train:msd", _LINE + r"train msd <loss>=(\S+)"),
        ("train:progress", r"#progress_metric: host=\S+, completed (\S+) %"),
        (
            "train:throughput",
            r"#throughput_metric: host=\S+, train throughput=(\S+) records/second",
        ),
    ),
    title="k-means",
    description="Groups similar records: finds k centres and assigns each record to the nearest.",
    inputs=Inputs(
        channels=(
            Input("train", "Records to cluster; in CSV every column is a feature.", required=True),
            Input("test", "Records that the final centres are scored on."),
        ),
        accepted=Accepted(
            formats=(RECORDIO, CSV), default=RECORDIO, label_size=0, label_sizes=(0,)
        ),
    ),
    requests=(
        "text/csv",
        "application/json",
        "application/jsonlines",
        "application/x-recordio-protobuf",
    ),
)
