"""Version 2 where no hook can run."""

import time

import boto3
import sagemaker
import tutorial_data
from sagemaker import image_uris
from sagemaker.deserializers import CSVDeserializer
from sagemaker.estimator import Estimator
from sagemaker.inputs import TrainingInput
from sagemaker.model import Model
from sagemaker.multidatamodel import MultiDataModel
from sagemaker.pipeline import PipelineModel
from sagemaker.predictor import Predictor
from sagemaker.serializers import CSVSerializer

session = sagemaker.Session()
role = sagemaker.get_execution_role(session)
bucket = session.default_bucket()
client = session.sagemaker_client

train, features, labels = tutorial_data.bank(2_000)
boto3.resource("s3").Object(bucket, "bare/train.csv").put(Body=train)
xgb = Estimator(
    image_uris.retrieve("xgboost", session.boto_region_name, "1.7-1"),
    role,
    instance_count=1,
    instance_type="ml.m4.xlarge",
    sagemaker_session=session,
)
xgb.set_hyperparameters(objective="binary:logistic", num_round=10)
xgb.fit({"train": TrainingInput(f"s3://{bucket}/bare", content_type="csv")}, wait=False)
while client.describe_training_job(TrainingJobName=xgb.latest_training_job.name)[
    "TrainingJobStatus"
] in ("InProgress", "Stopping"):
    time.sleep(0.5)
attached = Estimator.attach(xgb.latest_training_job.name, session)
attached.deploy(1, "ml.m4.xlarge", endpoint_name="bare-v2", wait=False)
while client.describe_endpoint(EndpointName="bare-v2")["EndpointStatus"] == "Creating":
    time.sleep(0.5)
predictor = Predictor(
    "bare-v2", session, serializer=CSVSerializer(), deserializer=CSVDeserializer()
)
answer = predictor.predict(features[:5])

many = MultiDataModel(
    "bare-many",
    f"s3://{bucket}/bare-many/",
    model=attached.create_model(),
    sagemaker_session=session,
)
many.add_model(attached.model_data, "towns/one.tar.gz")
many.deploy(1, "ml.m4.xlarge", endpoint_name="bare-many", wait=False)
while client.describe_endpoint(EndpointName="bare-many")["EndpointStatus"] == "Creating":
    time.sleep(0.5)
among = Predictor("bare-many", session, serializer=CSVSerializer(), deserializer=CSVDeserializer())
same = among.predict(features[:5], target_model="towns/one.tar.gz") == answer
among.delete_endpoint()
# One server doubles the rows, the next one predicts.
twice = Model(
    image_uris.retrieve("sklearn", session.boto_region_name, "1.2-1"),
    model_data=tutorial_data.handlers(
        bucket,
        "bare/twice.tar.gz",
        """
def model_fn(model_dir): pass

def transform_fn(model, body, content_type, accept):
    rows = [[2 * float(each) for each in row.split(",")] for row in body.splitlines()]
    return "\\n".join(",".join(map(str, row)) for row in rows), "text/csv"
""",
    ),
    role=role,
    sagemaker_session=session,
)
line = PipelineModel([twice, attached.create_model()], role, sagemaker_session=session)
line.deploy(1, "ml.m4.xlarge", endpoint_name="bare-line", wait=False)
while client.describe_endpoint(EndpointName="bare-line")["EndpointStatus"] == "Creating":
    time.sleep(0.5)
inline = Predictor("bare-line", session, serializer=CSVSerializer(), deserializer=CSVDeserializer())
doubled = inline.predict(features[:5]) == predictor.predict(2 * features[:5])
# The models of an endpoint that serves are taken to another.
line.deploy(1, "ml.m5.xlarge", endpoint_name="bare-line", update_endpoint=True, wait=False)
while client.describe_endpoint(EndpointName="bare-line")["EndpointStatus"] == "Updating":
    time.sleep(0.5)
moved = client.describe_endpoint(EndpointName="bare-line")["EndpointStatus"]
moved_same = inline.predict(features[:5]) == predictor.predict(2 * features[:5])
inline.delete_endpoint()
predictor.delete_endpoint()
tutorial_data.tell(
    line=[doubled, moved, moved_same],
    role=role,
    bucket=bucket,
    answers=sum(len(row) for row in answer),
    models=list(many.list_models()),
    same=same,
)
