"""The policies of a role, user or group: those written into it, and those attached to it."""

from dataclasses import replace

from studio.api import iam_entities, iam_managed
from studio.api.iam_entities import checked, encoded, no_such, over_limit, paged
from studio.api.registry import Context, operation
from studio.db.resources import Doc, Resource
from studio.errors import ApiError
from studio.identity.entities import GROUP, ROLE, USER

_INLINE_SIZE = {ROLE: 10_240, USER: 2_048, GROUP: 5_120}
_ATTACHED = 10


def _register_inline(kind: str) -> None:
    """The policies written into a role, user or group, whose operations differ in a word."""
    word = iam_entities.word(kind)
    member = f"{word}Name"

    def put(ctx: Context, request: Doc) -> Doc:
        name, document = request["PolicyName"], checked(request["PolicyDocument"])
        iam_entities.change(
            ctx, kind, request[member], lambda it: _written(it, kind, name, document)
        )
        return {}

    def get(ctx: Context, request: Doc) -> Doc:
        entity, name = iam_entities.require(ctx, kind, request[member]), request["PolicyName"]
        if name not in entity.state["Inline"]:
            raise _no_policy(word, name)
        document = encoded(entity.state["Inline"][name])
        return {member: entity.name, "PolicyName": name, "PolicyDocument": document}

    def names(ctx: Context, request: Doc) -> Doc:
        entity = iam_entities.require(ctx, kind, request[member])
        page, rest = paged(sorted(entity.state["Inline"]), request)
        return {"PolicyNames": page, **rest}

    def remove(ctx: Context, request: Doc) -> Doc:
        name = request["PolicyName"]
        iam_entities.change(ctx, kind, request[member], lambda it: _without(it, word, name))
        return {}

    operation("iam", f"Put{word}Policy")(put)
    operation("iam", f"Get{word}Policy")(get)
    operation("iam", f"List{word}Policies")(names)
    operation("iam", f"Delete{word}Policy")(remove)


def _register_attached(kind: str) -> None:
    """The managed policies of a role, user or group."""
    word = iam_entities.word(kind)
    member = f"{word}Name"

    def attach(ctx: Context, request: Doc) -> Doc:
        arn = request["PolicyArn"]
        if iam_managed.document(ctx, arn) is None:
            raise no_such(f"Policy {arn} does not exist or is not attachable.")
        iam_entities.change(ctx, kind, request[member], lambda it: _attached(it, word, arn))
        return {}

    def detach(ctx: Context, request: Doc) -> Doc:
        arn = request["PolicyArn"]
        iam_entities.change(ctx, kind, request[member], lambda it: _detached(it, arn))
        return {}

    def attached(ctx: Context, request: Doc) -> Doc:
        entity = iam_entities.require(ctx, kind, request[member])
        page, rest = paged(sorted(entity.state["Attached"]), request)
        found = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in page]
        return {"AttachedPolicies": found, **rest}

    operation("iam", f"Attach{word}Policy")(attach)
    operation("iam", f"Detach{word}Policy")(detach)
    operation("iam", f"ListAttached{word}Policies")(attached)


for _kind in (ROLE, USER, GROUP):
    _register_inline(_kind)
    _register_attached(_kind)


def _written(entity: Resource, kind: str, name: str, document: str) -> Resource:
    inline = {**entity.state["Inline"], name: document}
    most = _INLINE_SIZE[kind]
    if sum(map(iam_entities.size, inline.values())) > most:
        word = iam_entities.word(kind).lower()
        raise over_limit(f"Maximum policy size of {most} bytes exceeded for {word} {entity.name}")
    return replace(entity, state={**entity.state, "Inline": inline})


def _without(entity: Resource, word: str, name: str) -> Resource:
    inline = dict(entity.state["Inline"])
    if inline.pop(name, None) is None:
        raise _no_policy(word, name)
    return replace(entity, state={**entity.state, "Inline": inline})


def _attached(entity: Resource, word: str, arn: str) -> Resource:
    present = entity.state["Attached"]
    if arn in present:
        return entity
    if len(present) >= _ATTACHED:
        raise over_limit(f"Cannot exceed quota for PoliciesPer{word}: {_ATTACHED}")
    return replace(entity, state={**entity.state, "Attached": [*present, arn]})


def _detached(entity: Resource, arn: str) -> Resource:
    if arn not in entity.state["Attached"]:
        raise no_such(f"Policy {arn} was not found.")
    kept = [each for each in entity.state["Attached"] if each != arn]
    return replace(entity, state={**entity.state, "Attached": kept})


def _no_policy(word: str, name: str) -> ApiError:
    return no_such(f"The {word.lower()} policy with name {name} cannot be found.")
