"""Topics and those who subscribe: messages arrive, are tried again, and go only where they may."""

import json
import urllib.error

import pytest
from botocore.exceptions import ClientError
from people_of import ACCOUNT, allow, document, user
from receiver import follow, receiving
from waiting import eventually

from studio.reconcile import posting
from studio.reconcile.notifications import Deliverer
from studio.reconcile.posting import Bounds, Forbidden


@pytest.fixture(scope="module", name="sns")
def sns_fixture(plane):
    return plane.client("sns")


@pytest.fixture(scope="module", name="receiver")
def receiver_fixture():
    with receiving() as receiver:
        yield receiver


@pytest.fixture(scope="module", name="deliverer", autouse=True)
def deliverer_fixture(plane):
    made = deliverer_of(plane)
    yield made
    made.close()


@pytest.fixture(scope="module", name="topic")
def topic_fixture(plane, sns, receiver):
    """A topic to which the receiver has subscribed."""
    topic = sns.create_topic(Name="told", Attributes={"DisplayName": "Told"})["TopicArn"]
    subscribed(plane, sns, receiver, topic)
    return topic


def deliverer_of(plane) -> Deliverer:
    settings = plane.context.settings
    return Deliverer(plane.context.db, settings, lambda: {plane.port}, pauses=(0.01, 0.01))


def subscribed(plane, sns, receiver, topic: str, **attributes: str) -> str:
    """ARN of a subscription that the receiver has confirmed."""
    known = len(receiver.asked)
    url = f"{receiver.url}/{known}"
    told = sns.subscribe(TopicArn=topic, Protocol="http", Endpoint=url, Attributes=attributes)[
        "SubscriptionArn"
    ]
    assert told == "pending confirmation"
    eventually(lambda: len(receiver.asked) > known)
    asked = receiver.asked[-1]
    assert (asked["Type"], asked["TopicArn"]) == ("SubscriptionConfirmation", topic)
    answer = follow(asked["SubscribeURL"], plane.port)
    assert (
        follow(asked["SubscribeURL"], plane.port).partition("<Resp")[0]
        == (answer.partition("<Resp")[0])
    )
    return answer.partition("<SubscriptionArn>")[2].partition("<")[0]


def refusal(call, **request) -> str:
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def counted(plane, metric: str, topic: str) -> float:
    found = plane.client("cloudwatch").get_metric_statistics(
        Namespace="AWS/SNS",
        MetricName=metric,
        Dimensions=[{"Name": "TopicName", "Value": topic.rpartition(":")[2]}],
        StartTime=0,
        EndTime=2**32 - 60,
        Period=60 * 60 * 24 * 3650,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(each["Sum"] for each in found)


def test_what_is_published_arrives_as_sns_would_send_it(plane, sns, topic, receiver):
    attributes = {"kind": {"DataType": "String", "StringValue": "a"}}
    published = sns.publish(
        TopicArn=topic, Subject="News", Message="grüße", MessageAttributes=attributes
    )
    eventually(lambda: receiver.bodies)
    head, body = receiver.heads[-1], receiver.bodies[-1]
    assert head["x-amz-sns-message-type"] == body["Type"] == "Notification"
    assert head["x-amz-sns-message-id"] == body["MessageId"] == published["MessageId"]
    assert head["x-amz-sns-topic-arn"] == body["TopicArn"] == topic
    assert (body["Subject"], body["Message"]) == ("News", "grüße")
    assert body["MessageAttributes"] == {"kind": {"Type": "String", "Value": "a"}}
    [listed] = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert head["x-amz-sns-subscription-arn"] == listed["SubscriptionArn"]
    # Once it is raw, what was published is all that comes.
    sns.set_subscription_attributes(
        SubscriptionArn=listed["SubscriptionArn"],
        AttributeName="RawMessageDelivery",
        AttributeValue="true",
    )
    several = json.dumps({"default": "for all", "http": "for http"})
    sns.publish(TopicArn=topic, Message=several, MessageStructure="json")
    eventually(lambda: receiver.texts[-1] == "for http")
    assert receiver.heads[-1]["x-amz-sns-rawdelivery"] == "true"
    assert eventually(lambda: counted(plane, "NumberOfNotificationsDelivered", topic) == 2)
    shown = sns.get_topic_attributes(TopicArn=topic)["Attributes"]
    assert (shown["SubscriptionsConfirmed"], shown["DisplayName"]) == ("1", "Told")


def test_a_message_is_tried_again_and_given_up_in_the_end(plane, sns, topic, receiver):
    receiver.statuses = [503, 429, 200, 404, 200]
    sns.publish(TopicArn=topic, Message="again")
    eventually(lambda: receiver.texts[-1] == "again")
    sns.publish(TopicArn=topic, Message="not wanted")
    eventually(lambda: counted(plane, "NumberOfNotificationsFailed", topic) == 1)
    receiver.statuses = [500, 500, 500]
    sns.publish(TopicArn=topic, Message="never")
    eventually(lambda: counted(plane, "NumberOfNotificationsFailed", topic) == 2)
    assert not {"not wanted", "never"} & set(receiver.texts)
    assert counted(plane, "NumberOfMessagesPublished", topic) == 5


def test_what_is_published_while_nobody_delivers_is_not_lost(
    plane, sns, topic, receiver, deliverer
):
    deliverer.close()
    sns.publish(TopicArn=topic, Message="kept")
    later = deliverer_of(plane)
    try:
        eventually(lambda: receiver.texts[-1] == "kept")
    finally:
        later.close()
        deliverer.__init__(plane.context.db, plane.context.settings, lambda: {plane.port}, (0.01,))


def test_what_is_not_executed_or_not_right_is_refused_by_name(plane, sns, topic):
    assert "FIFO" in refusal(sns.create_topic, Name="a.fifo")
    assert "Policy of topics" in refusal(
        sns.set_topic_attributes, TopicArn=topic, AttributeName="Policy", AttributeValue="{}"
    )
    assert sns.create_topic(Name="told")["TopicArn"] == topic
    different = {"DisplayName": "else"}
    assert "different attributes" in refusal(sns.create_topic, Name="told", Attributes=different)
    for protocol, url, words in (
        ("sms", "+491", "not sms yet"),
        ("https", "http://example.com", "must begin with https://"),
        ("http", "http://169.254.169.254/latest", "not an address of a receiver"),
        ("http", "http://[::ffff:169.254.1.1]/", "not an address of a receiver"),
        ("http", "http://a:b@example.com/", "user name"),
    ):
        text = refusal(sns.subscribe, TopicArn=topic, Protocol=protocol, Endpoint=url)
        assert text.startswith("InvalidParameter: ")
        assert words in text
    filtering = {"FilterPolicy": "{}"}
    assert "FilterPolicy" in refusal(
        sns.subscribe,
        TopicArn=topic,
        Protocol="http",
        Endpoint="http://example.com",
        Attributes=filtering,
    )
    assert "PhoneNumber" in refusal(sns.publish, PhoneNumber="+491", Message="x")
    assert "No default entry" in refusal(
        sns.publish, TopicArn=topic, Message="{}", MessageStructure="json"
    )
    assert "too long" in refusal(sns.publish, TopicArn=topic, Message="x" * 262_145)
    assert "Subject" in refusal(sns.publish, TopicArn=topic, Message="x", Subject="a\nb")
    none = topic.replace(":told", ":none")
    assert refusal(sns.publish, TopicArn=none, Message="x").startswith("NotFound: ")
    assert "Token" in refusal(sns.confirm_subscription, TopicArn=topic, Token="guessed")


def test_each_has_their_own_topics_and_the_machine_is_the_owners(plane, sns, topic, receiver):
    anything = document(allow("sns:*"))
    bob = user(plane, "bob", policy=anything).client("sns")
    assert bob.list_topics()["Topics"] == bob.list_subscriptions()["Subscriptions"] == []
    assert refusal(bob.publish, TopicArn=topic, Message="x").startswith("NotFound: ")
    assert refusal(bob.create_topic, Name="told").startswith("AuthorizationError: ")
    own = bob.create_topic(Name="bobs")["TopicArn"]
    here = refusal(bob.subscribe, TopicArn=own, Protocol="http", Endpoint=receiver.url)
    assert "the machine that Studio runs on" in here
    known = len(receiver.asked)
    sns.subscribe(TopicArn=own, Protocol="http", Endpoint=f"{receiver.url}/of-owner")
    eventually(lambda: len(receiver.asked) > known)
    assert len(receiver.asked) == known + 1
    named = document(allow("sns:Publish", topic))
    carl = user(plane, "carl", policy=named).client("sns")
    assert carl.publish(TopicArn=topic, Message="shared")["MessageId"]
    assert "not authorized" in refusal(carl.delete_topic, TopicArn=topic)


def test_links_end_what_is_not_guarded_and_a_topic_ends_its_subscriptions(plane, sns, receiver):
    topic = sns.create_topic(Name="ending", Tags=[{"Key": "a", "Value": "b"}])["TopicArn"]
    arn = subscribed(plane, sns, receiver, topic)
    sns.publish(TopicArn=topic, Message="last")
    body = eventually(
        lambda: next((it for it in bodies(receiver) if it["TopicArn"] == topic), None)
    )
    follow(body["UnsubscribeURL"], plane.port)
    assert refusal(sns.get_subscription_attributes, SubscriptionArn=arn).startswith("NotFound: ")
    known = len(receiver.asked)
    told = sns.subscribe(
        TopicArn=topic, Protocol="http", Endpoint=receiver.url, ReturnSubscriptionArn=True
    )["SubscriptionArn"]
    eventually(lambda: len(receiver.asked) > known)
    sns.confirm_subscription(
        TopicArn=topic, Token=receiver.asked[-1]["Token"], AuthenticateOnUnsubscribe="true"
    )
    with pytest.raises(urllib.error.HTTPError) as caught:
        follow(
            body["UnsubscribeURL"].replace(arn.rpartition(":")[2], told.rpartition(":")[2]),
            plane.port,
        )
    assert caught.value.code == 403
    caught.value.close()
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == [{"Key": "a", "Value": "b"}]
    sns.untag_resource(ResourceArn=topic, TagKeys=["a"])
    assert sns.list_tags_for_resource(ResourceArn=topic)["Tags"] == []
    sns.delete_topic(TopicArn=topic)
    assert told not in str(sns.list_subscriptions()["Subscriptions"])


def bodies(receiver) -> list[dict]:
    return [json.loads(text) for text in receiver.texts if text.startswith("{")]


def test_a_name_is_looked_up_and_then_looked_at(receiver):
    named = receiver.url.replace("127.0.0.1", "localhost")
    with pytest.raises(Forbidden):
        posting.post(named, {}, b"", Bounds(machine=False, ports=()))


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0/",
        "http://[::]/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://224.0.0.1/",
        "http://127.0.0.1:8000/",
        "http://[::1]:8000/",
        "file:///etc/passwd",
        "http:///x",
        "http://example.com:99999/",
        "http://example.com/a b",
    ],
)
def test_addresses_to_which_nothing_is_sent(url):
    with pytest.raises(Forbidden):
        posting.check_literal(url, Bounds(machine=True, ports={8000}))


def test_the_account_of_a_topic(topic):
    assert topic == f"arn:aws:sns:us-east-1:{ACCOUNT}:told"
