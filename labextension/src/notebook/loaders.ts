import type { Client } from '../core/client';
import { firstRows } from '../core/csv';
import { parseS3 } from '../core/s3';
import type { IDragged } from '../tokens';

const HEAD_BYTES = 4096;
const IMAGES = /\.(png|jpe?g|gif|webp)$/i;

/** Code that loads a thing of Studio; it runs with what every kernel has. */
export async function loader(client: Client, thing: IDragged): Promise<string> {
  return (await code(client, thing)).trimEnd();
}

async function code(client: Client, { kind, name }: IDragged): Promise<string> {
  switch (kind) {
    case 'job':
      return jobLoader(name);
    case 'model':
      return modelLoader(name);
    case 'endpoint':
      return endpointLoader(client, name);
    case 'object':
      return objectLoader(client, name);
    case 'component':
      return componentLoader(name);
  }
}

function jobLoader(name: string): string {
  return `import boto3

job = boto3.client("sagemaker").describe_training_job(TrainingJobName=${text(name)})
metrics = {it["MetricName"]: it["Value"] for it in job.get("FinalMetricDataList", [])}
model_data = job["ModelArtifacts"]["S3ModelArtifacts"]
print(job["TrainingJobStatus"], metrics, model_data)
`;
}

function componentLoader(name: string): string {
  return `import boto3

component = boto3.client("sagemaker").describe_trial_component(TrialComponentName=${text(name)})
parameters = {key: next(iter(value.values())) for key, value in component.get("Parameters", {}).items()}
metrics = {it["MetricName"]: it.get("Last") for it in component.get("Metrics", [])}
print(component["DisplayName"], parameters, metrics)
`;
}

function modelLoader(name: string): string {
  return `import boto3

model = boto3.client("sagemaker").describe_model(ModelName=${text(name)})
model_data = model.get("PrimaryContainer", {}).get("ModelDataUrl")
print(model_data)
`;
}

async function endpointLoader(client: Client, name: string): Promise<string> {
  const [type, body] = await client
    .call('studio', 'GetSampleRequest', { EndpointName: name, MaxRows: 1 })
    .then(({ Samples: [first] }) => [first.ContentType, first.Body])
    // Without a sample the cell is worth as much: the user has data.
    .catch(() => ['text/csv', '']);
  const given = body
    ? `body = ${text(body)}`
    : 'body = ""  # a row, without the label';
  return `import boto3

${given}
answer = boto3.client("sagemaker-runtime").invoke_endpoint(
    EndpointName=${text(name)},
    ContentType=${text(type)},
    Body=body,
)
print(answer["Body"].read().decode())
`;
}

async function objectLoader(client: Client, uri: string): Promise<string> {
  const { bucket, key } = parseS3(uri)!;
  if (!key || key.endsWith('/')) {
    return folderLoader(bucket, key);
  }
  const object = `Bucket=${text(bucket)}, Key=${text(key)}`;
  const body = `boto3.client("s3").get_object(${object})["Body"]`;
  const packed = /\.gz$/i.test(key) ? ', compression="gzip"' : '';
  if (/\.parquet$/i.test(key)) {
    return `import io

import boto3
import pandas as pd

body = ${body}
data = pd.read_parquet(io.BytesIO(body.read()))
data.head()
`;
  }
  if (/\.(jsonl|ndjson)(\.gz)?$/i.test(key)) {
    return frame(body, `pd.read_json(body, lines=True${packed})`);
  }
  if (/\.(csv|tsv)(\.gz)?$/i.test(key)) {
    const tabs = /\.tsv/i.test(key);
    const separated = tabs ? ', sep="\\t"' : '';
    const headless =
      !packed && (await hasNoHeader(client, bucket, key, tabs ? '\t' : ','))
        ? ', header=None'
        : '';
    return frame(body, `pd.read_csv(body${separated}${headless}${packed})`);
  }
  return otherLoader(key, body);
}

function frame(body: string, read: string): string {
  return `import boto3
import pandas as pd

body = ${body}
data = ${read}
data.head()
`;
}

function otherLoader(key: string, body: string): string {
  if (/\.tar\.gz$/i.test(key)) {
    return `import io
import tarfile
from pathlib import Path

import boto3

body = ${body}
folder = Path("model").resolve()
with tarfile.open(fileobj=io.BytesIO(body.read())) as archive:
    for member in archive:
        path = (folder / member.name).resolve()
        # Not extractall(): a link, or a name with "..", can lead out of the folder.
        if member.isfile() and folder in path.parents:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.extractfile(member).read())
            print(path)
`;
  }
  if (/\.json$/i.test(key)) {
    return `import json

import boto3

body = ${body}
data = json.load(body)
data
`;
  }
  if (IMAGES.test(key)) {
    return `import boto3
from IPython.display import Image

body = ${body}
Image(body.read())
`;
  }
  return `import boto3

body = ${body}
data = body.read()
print(len(data), data[:200])
`;
}

function folderLoader(bucket: string, prefix: string): string {
  return `import boto3

folder = boto3.resource("s3").Bucket(${text(bucket)})
objects = [it.key for it in folder.objects.filter(Prefix=${text(prefix)}).limit(1000)]
objects
`;
}

/** Whether the first row is all numbers, as SageMaker's algorithms take it. */
async function hasNoHeader(
  client: Client,
  bucket: string,
  key: string,
  delimiter: string
): Promise<boolean> {
  const headers = { Range: `bytes=0-${HEAD_BYTES - 1}` };
  const response = await client.s3('GET', bucket, key, {}, { headers });
  const [row] = firstRows(await response.text(), delimiter, 1, true);
  return !!row && row.every(cell => cell.trim() !== '' && !isNaN(Number(cell)));
}

/** A text as Python spells it; JSON's way is one of Python's. */
function text(value: string): string {
  return JSON.stringify(value);
}
