import type { PartialJSONValue } from '@lumino/coreutils';

import { snake } from './python';
import { document, type ICall } from './requests';

/** Commands for a POSIX shell. */
export function cli(calls: ICall[]): string {
  return calls
    .map(({ operation, request }) => {
      const name = snake(operation).replace(/_/g, '-');
      const text = JSON.stringify(document(request), null, 2);
      return `aws sagemaker ${name} --cli-input-json '${text.replace(/'/g, `'\\''`)}'\n`;
    })
    .join('\n');
}

/** The requests as JSON: one of them, or a list of {Operation, Request}. */
export function json(calls: ICall[]): string {
  return JSON.stringify(shown(calls), null, 2) + '\n';
}

/** The requests as YAML; of a single one, what `--cli-input-yaml` takes. */
export function yaml(calls: ICall[]): string {
  return yamlLines(shown(calls)).join('\n') + '\n';
}

function shown(calls: ICall[]): PartialJSONValue {
  return calls.length === 1
    ? document(calls[0].request)
    : calls.map(({ operation, request }) => ({
        Operation: operation,
        Request: document(request)
      }));
}

function yamlLines(value: PartialJSONValue | undefined): string[] {
  if (Array.isArray(value)) {
    return value.length
      ? value.flatMap(item => indented('- ', yamlLines(item)))
      : ['[]'];
  }
  if (value !== null && typeof value === 'object') {
    const items = Object.entries(value);
    return items.length
      ? items.flatMap(([key, item]) => entry(scalar(key), item))
      : ['{}'];
  }
  return [scalar(value)];
}

function entry(key: string, value: PartialJSONValue | undefined): string[] {
  const lines = yamlLines(value);
  const nested =
    value !== null &&
    typeof value === 'object' &&
    Object.keys(value).length > 0;
  return nested
    ? [`${key}:`, ...lines.map(line => `  ${line}`)]
    : [`${key}: ${lines[0]}`];
}

function indented(first: string, lines: string[]): string[] {
  return lines.map(
    (line, index) => (index ? ' '.repeat(first.length) : first) + line
  );
}

// What YAML could take for something else than a text is quoted; a JSON string is a YAML string.
const PLAIN_TEXT = /^[A-Za-z_/][\w./@+-]*(?::[\w./@+-]+)*$/;
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

function scalar(value: string | number | boolean | null | undefined): string {
  return typeof value === 'string' &&
    PLAIN_TEXT.test(value) &&
    !WORDS.test(value)
    ? value
    : JSON.stringify(value ?? null);
}
