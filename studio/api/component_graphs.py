"""Tables and curves that AWS's SDKs log of trial components: artifacts of lineage, no members."""

from collections.abc import Sequence

from sqlalchemy import Connection

from studio.api import lineage_entities
from studio.api.lineage_entities import ARTIFACT
from studio.api.registry import Context
from studio.db.resources import Doc
from studio.experiments import lineage

_TYPES = {"ConfusionMatrix", "PrecisionRecallCurve", "ROCCurve", "Table"}
_MEDIA_TYPE = "application/json"
_MOST = 10_000
"""Things next to the components."""


def graphs(connection: Connection, ctx: Context, arns: Sequence[str]) -> dict[str, Doc]:
    """What was logged of each of the components, by its ARN: InputArtifacts and OutputArtifacts.

    Of several with one name the last counts: the SDKs write the file of a name again.
    """
    found: dict[str, Doc] = {arn: {"InputArtifacts": {}, "OutputArtifacts": {}} for arn in arns}
    scope = lineage_entities.scope(ctx)
    edges = lineage.walk(connection, scope, arns, "Both", 1, _MOST).edges
    near = {arn for edge in edges for arn in edge[:2]} - found.keys()
    known = lineage_entities.entities(connection, ctx, near)
    for edge in sorted(edges, key=lambda it: it.created_at):
        for component, other, member in (
            (edge.source, edge.destination, "OutputArtifacts"),
            (edge.destination, edge.source, "InputArtifacts"),
        ):
            it = known.get(other)
            if component in found and it and it.kind == ARTIFACT and it.type in _TYPES:
                name = it.name or it.source.rpartition("/")[2]
                found[component][member][name] = {"Value": it.source, "MediaType": _MEDIA_TYPE}
    return found
