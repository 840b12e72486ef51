const encoder = new TextEncoder();

/** A message of an event stream as AWS encodes it; the checksums are not looked at. */
export function message(
  headers: Record<string, string>,
  data: string
): Uint8Array {
  const named = Object.entries(headers).flatMap(([name, value]) => [
    name.length,
    ...encoder.encode(name),
    7,
    ...sized(value.length, 2),
    ...encoder.encode(value)
  ]);
  const payload = [...encoder.encode(data)];
  const length = 16 + named.length + payload.length;
  return new Uint8Array([
    ...sized(length, 4),
    ...sized(named.length, 4),
    ...[0, 0, 0, 0],
    ...named,
    ...payload,
    ...[0, 0, 0, 0]
  ]);
}

/** A piece of an answer. */
export function part(data: string): Uint8Array {
  const headers = { ':message-type': 'event', ':event-type': 'PayloadPart' };
  return message(headers, data);
}

/** The end of an answer that broke off. */
export const failure = message(
  { ':message-type': 'exception', ':exception-type': 'ModelStreamError' },
  '{"Message": "it broke"}'
);

function sized(value: number, bytes: number): number[] {
  return Array.from(
    { length: bytes },
    (_, at) => (value >> (8 * (bytes - 1 - at))) & 255
  );
}
