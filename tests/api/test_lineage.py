"""Lineage: entities, associations and queries as AWS answers them."""

from itertools import pairwise

import plane as planes
import pytest
from botocore.exceptions import ClientError

ARN = "arn:aws:sagemaker:us-east-1:000000000000:"


@pytest.fixture(name="plane", scope="module", params=["sqlite", "postgresql"])
def plane_fixture(request, tmp_path_factory):
    changes = {}
    if request.param == "postgresql":
        changes["database_url"] = request.getfixturevalue("postgres").database()
    with planes.running(tmp_path_factory.mktemp("home"), **changes) as running:
        yield running


@pytest.fixture(scope="module", name="sagemaker")
def sagemaker_fixture(plane):
    return plane.client("sagemaker")


def artifact(sagemaker, uri: str, type_: str = "DataSet", **more) -> str:
    source = {"SourceUri": uri, **more.pop("source", {})}
    made = sagemaker.create_artifact(Source=source, ArtifactType=type_, **more)
    return made["ArtifactArn"]


def action(sagemaker, name: str, **more) -> str:
    request = {"ActionName": name, "ActionType": "ModelDeployment", "Source": {"SourceUri": "u"}}
    return sagemaker.create_action(**(request | more))["ActionArn"]


def context(sagemaker, name: str, **more) -> str:
    request = {"ContextName": name, "ContextType": "Endpoint", "Source": {"SourceUri": "u"}}
    return sagemaker.create_context(**(request | more))["ContextArn"]


def join(sagemaker, *arns: str, **more) -> None:
    for source, destination in pairwise(arns):
        sagemaker.add_association(SourceArn=source, DestinationArn=destination, **more)


def code(call, **request) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return error["Code"], error["Message"]


def test_an_artifact_through_its_life(sagemaker):
    properties = {"rows": "10", "html": "<script>alert(1)</script>"}
    types = [{"SourceIdType": "S3ETag", "Value": "abc"}]
    arn = artifact(
        sagemaker,
        "s3://b/life.csv",
        ArtifactName="life",
        Properties=properties,
        source={"SourceTypes": types},
        MetadataProperties={"CommitId": "c0ffee"},
        Tags=[{"Key": "team", "Value": "risk"}],
    )
    assert arn.startswith(f"{ARN}artifact/")
    found = sagemaker.describe_artifact(ArtifactArn=arn)
    assert found["Source"] == {"SourceUri": "s3://b/life.csv", "SourceTypes": types}
    assert (found["ArtifactName"], found["ArtifactType"]) == ("life", "DataSet")
    assert found["Properties"] == properties
    assert found["MetadataProperties"] == {"CommitId": "c0ffee"}
    assert found["LineageGroupArn"].endswith("lineage-group/sagemaker-default-lineage-group")
    assert found["CreatedBy"]["IamIdentity"]["Arn"]
    assert sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "team", "Value": "risk"}]
    sagemaker.update_artifact(
        ArtifactArn=arn, ArtifactName="new", Properties={"rows": "11"}, PropertiesToRemove=["html"]
    )
    changed = sagemaker.describe_artifact(ArtifactArn=arn)
    assert (changed["ArtifactName"], changed["Properties"]) == ("new", {"rows": "11"})
    assert sagemaker.delete_artifact(Source=found["Source"])["ArtifactArn"] == arn
    assert code(sagemaker.describe_artifact, ArtifactArn=arn)[0] == "ResourceNotFound"


@pytest.mark.parametrize(("what", "make"), [("action", action), ("context", context)])
def test_an_action_and_a_context_through_their_lives(sagemaker, what, make):
    name = f"{what}-life"
    named = {f"{what.title()}Name": name}
    arn = make(sagemaker, name, Description="d", Properties={"a": "1"})
    assert arn == f"{ARN}{what}/{name}"
    describe = getattr(sagemaker, f"describe_{what}")
    found = describe(**{f"{what.title()}Name": arn})
    assert (found["Description"], found["Properties"]) == ("d", {"a": "1"})
    told = code(lambda **_more: make(sagemaker, name))
    assert told[0] == "ValidationException"
    assert "already exists" in told[1]
    getattr(sagemaker, f"update_{what}")(**named, Description="e", Properties={"b": "2"})
    changed = describe(**named)
    assert (changed["Description"], changed["Properties"]) == ("e", {"a": "1", "b": "2"})
    assert getattr(sagemaker, f"delete_{what}")(**named)[f"{what.title()}Arn"] == arn
    assert code(describe, **named)[0] == "ResourceNotFound"


def test_a_source_has_one_artifact(sagemaker):
    arn = artifact(sagemaker, "s3://b/one")
    told = code(lambda **_more: artifact(sagemaker, "s3://b/one", "Other"))
    assert told[0] == "ValidationException"
    assert "already exists" in told[1]
    more = {"SourceTypes": [{"SourceIdType": "Custom", "Value": "2"}]}
    assert artifact(sagemaker, "s3://b/one", source=more) != arn


def test_lists_find_by_source_and_type(sagemaker):
    both = {
        artifact(sagemaker, "s3://b/li%st", source={"SourceTypes": types})
        for types in ([], [{"SourceIdType": "Custom", "Value": "x"}])
    }
    artifact(sagemaker, "s3://b/list", "Odd\"Type_'%")
    listed = sagemaker.list_artifacts(SourceUri="s3://b/li%st")["ArtifactSummaries"]
    assert {it["ArtifactArn"] for it in listed} == both
    odd = sagemaker.list_artifacts(ArtifactType="Odd\"Type_'%")["ArtifactSummaries"]
    assert [it["Source"]["SourceUri"] for it in odd] == ["s3://b/list"]
    assert sagemaker.list_artifacts(ArtifactType="Odd")["ArtifactSummaries"] == []
    uri = {"SourceUri": f"{ARN}endpoint/listed", "SourceType": "ARN"}
    context(sagemaker, "listed-context", Source=uri, Properties={"SourceUri": "u2"})
    found = sagemaker.list_contexts(SourceUri=uri["SourceUri"], ContextType="Endpoint")
    assert [it["ContextName"] for it in found["ContextSummaries"]] == ["listed-context"]
    assert sagemaker.list_contexts(SourceUri="u2")["ContextSummaries"] == []


def test_pages_of_actions(sagemaker):
    names = [f"paged-{number}" for number in range(5)]
    for name in names:
        action(sagemaker, name, ActionType="Paged")
    pages = sagemaker.get_paginator("list_actions").paginate(
        ActionType="Paged", SortBy="Name", SortOrder="Ascending", PaginationConfig={"PageSize": 2}
    )
    assert [it["ActionName"] for page in pages for it in page["ActionSummaries"]] == names


def test_properties_have_a_limit(sagemaker):
    full = {f"k{number}": "v" for number in range(30)}
    context(sagemaker, "full", Properties=full)
    told = code(sagemaker.update_context, ContextName="full", Properties={"more": "v"})
    assert told == (
        "ValidationException",
        f"'{ARN}context/full' would have 31 Properties; 30 is the maximum.",
    )


def test_associations_come_and_go(sagemaker):
    data, deploy = artifact(sagemaker, "s3://b/assoc"), action(sagemaker, "assoc")
    join(sagemaker, data, deploy, AssociationType="ContributedTo")
    [edge] = sagemaker.list_associations(SourceArn=data)["AssociationSummaries"]
    assert (edge["DestinationArn"], edge["AssociationType"]) == (deploy, "ContributedTo")
    assert (edge["SourceType"], edge["DestinationType"]) == ("DataSet", "ModelDeployment")
    assert edge["DestinationName"] == "assoc"
    assert "SourceName" not in edge
    told = code(sagemaker.add_association, SourceArn=data, DestinationArn=deploy)
    assert told[0] == "ValidationException"
    assert "already exists" in told[1]
    told = code(sagemaker.delete_action, ActionName="assoc")
    assert told[0] == "ValidationException"
    assert "association" in told[1]
    sagemaker.delete_association(SourceArn=data, DestinationArn=deploy)
    gone = code(sagemaker.delete_association, SourceArn=data, DestinationArn=deploy)
    assert gone[0] == "ResourceNotFound"
    sagemaker.delete_action(ActionName="assoc")
    told = code(sagemaker.add_association, SourceArn=data, DestinationArn=deploy)
    assert told == ("ResourceNotFound", f"'{deploy}' does not exist.")
    told = code(sagemaker.add_association, SourceArn=data, DestinationArn=data)
    assert told[0] == "ValidationException"


@pytest.mark.parametrize("order", ["Ascending", "Descending"])
@pytest.mark.parametrize("sort", ["CreationTime", "SourceArn", "SourceType", "DestinationType"])
def test_pages_of_associations_in_every_order(sagemaker, sort, order):
    arn = context(sagemaker, f"hub-{sort}-{order}")
    sources = [artifact(sagemaker, f"s3://b/{sort}/{order}/{n}", f"T{n % 3}") for n in range(7)]
    for source in sources:
        join(sagemaker, source, arn)
    pages = sagemaker.get_paginator("list_associations").paginate(
        DestinationArn=arn, SortBy=sort, SortOrder=order, PaginationConfig={"PageSize": 3}
    )
    found = [it for page in pages for it in page["AssociationSummaries"]]
    assert sorted(it["SourceArn"] for it in found) == sorted(sources)
    if sort != "CreationTime":
        keys = [it[sort] for it in found]
        assert keys == sorted(keys, reverse=order == "Descending")
    some = sagemaker.list_associations(DestinationArn=arn, SourceType="T1", MaxResults=100)
    assert len(some["AssociationSummaries"]) == 2
    every = sagemaker.list_associations(DestinationArn=arn, SourceType="Artifact", MaxResults=100)
    assert len(every["AssociationSummaries"]) == 7


@pytest.fixture(scope="module", name="graph")
def graph_fixture(sagemaker):
    """Two data sets to a model, the model to an endpoint, and one more thing of a data set."""
    made = {
        "a": artifact(sagemaker, "s3://g/a", Properties={"team": "risk"}),
        "b": artifact(sagemaker, "s3://g/b"),
        "job": sagemaker.create_trial_component(TrialComponentName="g-job")["TrialComponentArn"],
        "model": artifact(sagemaker, "s3://g/model", "Model"),
        "deploy": action(sagemaker, "g-deploy"),
        "endpoint": context(sagemaker, "g-endpoint"),
        "other": sagemaker.create_trial_component(TrialComponentName="g-more")["TrialComponentArn"],
    }
    for source, destination in [
        ("a", "job"),
        ("b", "job"),
        ("job", "model"),
        ("model", "deploy"),
        ("deploy", "endpoint"),
        ("a", "other"),
    ]:
        join(sagemaker, made[source], made[destination])
    return made


def reached(sagemaker, graph, start: str, direction: str, **more) -> set[str]:
    answer = sagemaker.query_lineage(StartArns=[graph[start]], Direction=direction, **more)
    names = {arn: name for name, arn in graph.items()}
    return {names[it["Arn"]] for it in answer["Vertices"]}


def test_one_walks_from_data_to_endpoint_and_back(sagemaker, graph):
    assert reached(sagemaker, graph, "endpoint", "Ascendants") == set(graph) - {"other"}
    assert reached(sagemaker, graph, "b", "Descendants") == {
        *("b", "job", "model", "deploy", "endpoint")
    }
    assert reached(sagemaker, graph, "model", "Both") == set(graph)
    near = reached(sagemaker, graph, "model", "Ascendants", MaxDepth=1)
    assert near == {"model", "job"}


def test_what_a_query_shows_can_be_filtered(sagemaker, graph):
    datasets = {"LineageTypes": ["Artifact"], "Types": ["DataSet"]}
    found = reached(sagemaker, graph, "endpoint", "Ascendants", Filters=datasets)
    assert found == {"a", "b"}
    risk = {"Properties": {"team": "risk"}}
    assert reached(sagemaker, graph, "endpoint", "Ascendants", Filters=risk) == {"a"}
    components = {"LineageTypes": ["TrialComponent"]}
    assert reached(sagemaker, graph, "a", "Descendants", Filters=components) == {"job", "other"}
    assert reached(sagemaker, graph, "a", "Both", Filters={"CreatedAfter": 4e9}) == set()


def test_pages_of_a_query_tell_every_vertex_and_edge_once(sagemaker, graph):
    request = {"StartArns": [graph["endpoint"]], "Direction": "Ascendants"}
    vertices, edges, token = [], [], {}
    while token is not None:
        page = sagemaker.query_lineage(**request, MaxResults=2, **token)
        vertices += [it["Arn"] for it in page["Vertices"]]
        edges += [(it["SourceArn"], it["DestinationArn"]) for it in page["Edges"]]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None
    whole = sagemaker.query_lineage(**request)
    assert vertices == [it["Arn"] for it in whole["Vertices"]]
    assert vertices[0] == graph["endpoint"]
    assert len(edges) == len(set(edges)) == len(whole["Edges"]) == 5
    assert sagemaker.query_lineage(**request, IncludeEdges=False)["Edges"] == []


def test_errors_of_a_query(sagemaker, graph):
    assert code(sagemaker.query_lineage)[0] == "ValidationException"
    missing = [f"{ARN}context/none"]
    assert code(sagemaker.query_lineage, StartArns=missing)[0] == "ResourceNotFound"
    told = code(sagemaker.query_lineage, StartArns=[graph["a"]], NextToken="forged")
    assert told[0] == "ValidationException"


def test_a_component_that_goes_takes_its_edges_along(sagemaker):
    data = artifact(sagemaker, "s3://b/gone")
    made = sagemaker.create_trial_component(TrialComponentName="gone")["TrialComponentArn"]
    join(sagemaker, data, made)
    sagemaker.delete_trial_component(TrialComponentName="gone")
    assert sagemaker.list_associations(SourceArn=data)["AssociationSummaries"] == []
    sagemaker.delete_artifact(ArtifactArn=data)


def test_the_panels_graph_is_what_was_before_and_after(plane, sagemaker, graph):
    studio = plane.client("studio")
    found = studio.describe_lineage(Arns=[graph["job"], f"{ARN}artifact/none"])
    depths = {it["Arn"]: it["Depth"] for it in found["Vertices"]}
    names = {name: depths.get(arn) for name, arn in graph.items()}
    assert names == {
        **{"a": -1, "b": -1, "job": 0, "model": 1, "deploy": 2, "endpoint": 3},
        "other": None,
    }
    assert (found["Total"], len(found["Edges"])) == (6, 5)
    cut = studio.describe_lineage(Arns=[graph["job"]], Limit=2)
    assert (cut["Total"], len(cut["Vertices"]), len(cut["Edges"])) == (6, 2, 1)


def test_the_group_of_the_account(sagemaker):
    [group] = sagemaker.list_lineage_groups()["LineageGroupSummaries"]
    name = group["LineageGroupName"]
    found = sagemaker.describe_lineage_group(LineageGroupName=name)
    assert found["LineageGroupArn"] == group["LineageGroupArn"]
    assert code(sagemaker.describe_lineage_group, LineageGroupName="x")[0] == "ResourceNotFound"
    told = code(sagemaker.get_lineage_group_policy, LineageGroupName=name)
    assert told[0] == "ResourceNotFound"
