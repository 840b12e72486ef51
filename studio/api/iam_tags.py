"""Tags of users, roles and policies: one implementation, whose operations differ in a word."""

from collections.abc import Callable
from dataclasses import replace

from studio.api import iam_entities, iam_managed
from studio.api.iam_entities import paged
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.identity.entities import POLICY, ROLE, USER


def _register(kind: str, member: str, name_of: Callable[[Context, str], str]) -> None:
    """`member` of a request says whose tags; `name_of` makes the entity's name of it."""
    word = iam_entities.word(kind)

    def tag(ctx: Context, request: Doc) -> Doc:
        more = request["Tags"]
        _change(ctx, request, lambda it: iam_entities.tagged(it.tags, more))
        return {}

    def untag(ctx: Context, request: Doc) -> Doc:
        gone = {key.lower() for key in request["TagKeys"]}
        _change(ctx, request, lambda it: [t for t in it.tags if t["Key"].lower() not in gone])
        return {}

    def tags(ctx: Context, request: Doc) -> Doc:
        entity = iam_entities.require(ctx, kind, name_of(ctx, request[member]))
        by_key = {each["Key"]: each for each in entity.tags}
        page, rest = paged(sorted(by_key), request)
        return {"Tags": [by_key[key] for key in page], **rest}

    def _change(ctx: Context, request: Doc, to: Callable[[Resource], list[Doc]]) -> None:
        name = name_of(ctx, request[member])
        iam_entities.change(ctx, kind, name, lambda it: replace(it, tags=to(it)))

    operation("iam", f"Tag{word}")(tag)
    operation("iam", f"Untag{word}")(untag)
    operation("iam", f"List{word}Tags")(tags)


_register(ROLE, "RoleName", lambda _ctx, name: name)
_register(USER, "UserName", lambda _ctx, name: name)
_register(POLICY, "PolicyArn", lambda ctx, arn: iam_managed.own(ctx, arn).name)
