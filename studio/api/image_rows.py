"""The table of image URIs, shown and changed: `studio:ListImageRows`, `studio:UpdateImageRows`."""

import hashlib
import json
import threading

from studio.api import image_table, images
from studio.api.registry import Context, operation
from studio.db.resources import Doc
from studio.errors import ResourceInUse, ValidationException
from studio.identity.authority import Ask

_writing = threading.Lock()


@operation("studio", "ListImageRows")
def list_image_rows(ctx: Context, _request: Doc) -> Doc:
    return {
        "Rows": [
            {
                "Pattern": row.pattern,
                "Target": row.target,
                "ScriptTarget": row.script_target or None,
                "Own": row.own,
                "Editable": row.kept,
            }
            for row in image_table.rows(ctx.settings, images.algorithms())
        ],
        "Revision": _revision(image_table.kept(ctx.settings.home)),
    }


@operation("studio", "UpdateImageRows")
def update_image_rows(ctx: Context, request: Doc) -> Doc:
    # What everybody's images run as is nobody's own.
    ctx.identity.authority.check(ctx.caller.principal, Ask(ctx.action, "*", owner="*"))
    rows = [{"Pattern": it["Pattern"], "Target": it["Target"]} for it in request["Rows"]]
    _check(rows)
    with _writing:
        there = image_table.kept(ctx.settings.home)
        # Who repeats a call that was carried out is told so.
        if there != rows:
            if request.get("Revision", _revision(there)) != _revision(there):
                raise ResourceInUse("Somebody else has changed the rows: list them again.")
            image_table.keep(ctx.settings.home, rows)
    return list_image_rows(ctx, {})


def _check(rows: list[Doc]) -> None:
    names = [image.name for image in images.algorithms()]
    seen = set()
    for each in rows:
        pattern, target = each["Pattern"], each["Target"]
        made = image_table.row(pattern, target, names, f"{pattern}={target}")
        if made.container and not images.spelled_right(made.container):
            raise ValidationException(
                f"Invalid image URI {target}. Please provide a valid image URI."
            )
        if pattern in seen:
            raise ValidationException(f"There are two rows for {pattern}: the second never holds.")
        seen.add(pattern)


def _revision(rows: list[Doc]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]
