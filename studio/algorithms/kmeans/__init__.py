"""kmeans: web-scale k-means, online with more centres than wanted, shrunk by Lloyd's algorithm.

Light to import: the control plane reads `IMAGE`; numbers load with the program.
"""

from studio.algorithms.base import Image

_LINE = r"#quality_metric: host=\S+, "

IMAGE = Image(
    name="kmeans",
    repositories=("kmeans",),
    tags=("1", "latest"),
    module="studio.algorithms.kmeans",
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
)
