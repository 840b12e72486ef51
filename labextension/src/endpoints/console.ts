/** What the console sends. */
export interface IRequest {
  contentType: string;
  accept: string;
  /** "" lets the weights choose. */
  variant: string;
  /** The model of an endpoint that has many. */
  model?: string;
  /** Show the answer as it grows. */
  stream?: boolean;
  /** Of an asynchronous endpoint: the URI of the input, in the place of the body. */
  input?: string;
  /** It is an asynchronous endpoint that is asked. */
  later?: boolean;
  body: string;
}

/** A call of the console and what came of it. */
export interface ICall {
  /** Milliseconds since the epoch. */
  at: number;
  request: IRequest;
  status: number;
  contentType: string;
  variant: string;
  milliseconds: number;
  answer: string;
  /** Of an answer in pieces: how many, and milliseconds to the first. */
  pieces?: number;
  first?: number;
  /** More of it may come. */
  growing?: boolean;
  /** The user ended it. */
  stopped?: boolean;
  /** Why it broke off, or why there is no answer. */
  trouble?: string;
  /** Where in S3 the answer lies, or will, or why there is none. */
  place?: string;
  /** Of a request in a queue: how far it is, as ListAsyncInvocations has it. */
  state?: string;
}

/** The cells of an answer, row by row. */
export interface ICells {
  columns: string[];
  rows: string[][];
}

const KEPT = 20;
const LONGEST = 32 * 1024;

/** The headers of a request. */
export function headersOf(request: IRequest): Record<string, string> {
  if (request.later) {
    return {
      'x-amzn-sagemaker-content-type': request.contentType,
      ...(request.accept ? { 'x-amzn-sagemaker-accept': request.accept } : {}),
      ...(request.input
        ? { 'x-amzn-sagemaker-inputlocation': request.input }
        : {})
    };
  }
  const headers: Record<string, string> = {
    'Content-Type': request.contentType
  };
  if (request.accept) {
    headers[request.stream ? 'x-amzn-sagemaker-accept' : 'Accept'] =
      request.accept;
  }
  if (request.variant) {
    headers['x-amzn-sagemaker-target-variant'] = request.variant;
  }
  if (request.model) {
    headers['x-amzn-sagemaker-target-model'] = request.model;
  }
  return headers;
}

/** JSON as people read it; other text as it is. */
export function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/**
 * The answer as a table, where it is one: CSV, predictions in JSON, or JSON lines.
 *
 * XGBoost answers several rows with one line: it has a value for each row of the request.
 */
export function cellsOf(call: ICall): ICells | null {
  const type = call.contentType.split(';')[0].trim();
  if (type === 'text/csv') {
    const rows = lines(call.answer).map(line => line.split(','));
    const asked = lines(call.request.body).length;
    const turned = rows.length === 1 && asked > 1 && rows[0].length === asked;
    return table(turned ? rows[0].map(cell => [cell]) : rows);
  }
  return type.includes('json') ? predictions(call.answer) : null;
}

function predictions(text: string): ICells | null {
  const found = parsed(text);
  if (!Array.isArray(found) || !found.length) {
    return null;
  }
  if (found.every(each => each !== null && typeof each === 'object')) {
    const objects = found as Record<string, unknown>[];
    const columns = [...new Set(objects.flatMap(each => Object.keys(each)))];
    return {
      columns,
      rows: objects.map(each => columns.map(name => shown(each[name])))
    };
  }
  return table(found.map(each => [shown(each)]));
}

/** A list: that of "predictions", of the document itself, or of its lines. */
function parsed(text: string): unknown {
  try {
    const value = JSON.parse(text) as unknown;
    if (Array.isArray(value)) {
      return value;
    }
    return (value as { predictions?: unknown }).predictions ?? [value];
  } catch {
    try {
      return lines(text).map(line => JSON.parse(line) as unknown);
    } catch {
      return null;
    }
  }
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function table(rows: string[][]): ICells | null {
  const width = Math.max(0, ...rows.map(row => row.length));
  const columns =
    width === 1
      ? ['prediction']
      : Array.from({ length: width }, (_, index) => `${index + 1}`);
  return rows.length ? { columns, rows } : null;
}

function lines(text: string): string[] {
  return text.split(/\r?\n/).filter(line => line.trim());
}

/** The call as a program with boto3. */
export function asBoto3(endpoint: string, request: IRequest): string {
  const members = [
    `    EndpointName=${python(endpoint)},`,
    `    ContentType=${python(request.contentType)},`
  ];
  if (request.accept) {
    members.push(`    Accept=${python(request.accept)},`);
  }
  if (request.later) {
    return laterBoto3(members, request);
  }
  if (request.variant) {
    members.push(`    TargetVariant=${python(request.variant)},`);
  }
  if (request.model && !request.stream) {
    members.push(`    TargetModel=${python(request.model)},`);
  }
  members.push(`    Body=${python(request.body)},`);
  if (request.stream) {
    return [
      'import boto3',
      '',
      'runtime = boto3.client("sagemaker-runtime")',
      ...(request.model ? named(request.model) : []),
      'answer = runtime.invoke_endpoint_with_response_stream(',
      ...members,
      ')',
      'for event in answer["Body"]:',
      '    print(event["PayloadPart"]["Bytes"].decode(), end="", flush=True)',
      ''
    ].join('\n');
  }
  return [
    'import boto3',
    '',
    'runtime = boto3.client("sagemaker-runtime")',
    'answer = runtime.invoke_endpoint(',
    ...members,
    ')',
    'print(answer["Body"].read().decode())',
    ''
  ].join('\n');
}

/** Looks for the answer and for the failure: boto3's waiter would look for one of them. */
function laterBoto3(members: string[], request: IRequest): string {
  const input = request.input
    ? `    InputLocation=${python(request.input)},`
    : `    Body=${python(request.body)},`;
  return [
    'import time',
    '',
    'import boto3',
    '',
    'runtime, s3 = boto3.client("sagemaker-runtime"), boto3.client("s3")',
    'told = runtime.invoke_endpoint_async(',
    ...members,
    input,
    ')',
    'names = ("OutputLocation", "FailureLocation")',
    'places = [told[name] for name in names if told.get(name)]',
    'answer = None',
    'while answer is None:',
    '    time.sleep(1)',
    '    for place in places:',
    '        bucket, key = place.removeprefix("s3://").split("/", 1)',
    '        try:',
    '            answer = s3.get_object(Bucket=bucket, Key=key)["Body"].read()',
    '        except s3.exceptions.NoSuchKey:',
    '            continue',
    'print(answer.decode())',
    ''
  ].join('\n');
}

/** boto3 knows no TargetModel of a stream. */
function named(model: string): string[] {
  return [
    `model = {"X-Amzn-SageMaker-Target-Model": ${python(model)}}`,
    'runtime.meta.events.register(',
    '    "before-call.sagemaker-runtime.InvokeEndpointWithResponseStream",',
    '    lambda params, **_: params["headers"].update(model),',
    ')'
  ];
}

/** The call as a command of curl, which signs it with the keys of `studio env`. */
export function asCurl(endpoint: string, request: IRequest): string {
  const headers = Object.entries(headersOf(request)).map(
    ([name, value]) => `  -H ${shell(`${name}: ${value}`)} \\`
  );
  const operation = request.later
    ? 'async-invocations'
    : `invocations${request.stream ? '-response-stream' : ''}`;
  const body = request.input ? '' : request.body;
  return [
    'curl --aws-sigv4 "aws:amz:$AWS_DEFAULT_REGION:sagemaker" \\',
    '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\',
    ...headers,
    `  --data-binary ${shell(body)} \\`,
    `  "$AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME/endpoints/${encodeURIComponent(endpoint)}/${operation}"`,
    ''
  ].join('\n');
}

/** A literal of Python; JSON's strings are some, but for lone surrogates. */
function python(text: string): string {
  return text.includes('\n') && !text.includes('"""') && !text.includes('\\')
    ? `"""${text.replace(/"$/, '\\"')}"""`
    : JSON.stringify(text);
}

/** A word of the shell, whatever is in it. */
export function shell(text: string): string {
  return `'${text.replace(/'/g, "'\\''")}'`;
}

/** The calls of an endpoint in this tab of the browser, youngest first. */
export class History {
  constructor(
    private _endpoint: string,
    private _storage: Storage = sessionStorage
  ) {}

  get calls(): ICall[] {
    try {
      return JSON.parse(this._storage.getItem(this._key) ?? '[]') as ICall[];
    } catch {
      return [];
    }
  }

  /** Keep a call, unless it is so long that it would push out others. */
  add(call: ICall): ICall[] {
    const short =
      call.answer.length <= LONGEST && call.request.body.length <= LONGEST;
    const calls = short ? [call, ...this.calls].slice(0, KEPT) : this.calls;
    try {
      this._storage.setItem(this._key, JSON.stringify(calls));
    } catch {
      // The storage is full: the history is a convenience.
    }
    return calls;
  }

  private get _key(): string {
    return `jupyter-ml-studio:calls:${this._endpoint}`;
  }
}
