/** A message of an event stream: AWS's name of it, and what it says. */
export interface IFrame {
  /** "PayloadPart", or the name of an exception. */
  kind: string;
  failed: boolean;
  data: Uint8Array;
}

const AROUND = 16;
const PRELUDE = 12;

/** The messages of a body, as they come. */
export async function* frames(
  body: ReadableStream<Uint8Array>
): AsyncGenerator<IFrame> {
  const reader = body.getReader();
  let rest = new Uint8Array(0);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        if (rest.length) {
          throw new Error('The answer broke off.');
        }
        return;
      }
      rest = joined(rest, value);
      let length = lengthOf(rest);
      while (length && rest.length >= length) {
        yield frameOf(rest.subarray(0, length));
        rest = rest.slice(length);
        length = lengthOf(rest);
      }
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}

/** Of the whole message that begins here; 0 while that is not known. */
function lengthOf(data: Uint8Array): number {
  return data.length < PRELUDE ? 0 : viewOf(data).getUint32(0);
}

function viewOf(data: Uint8Array): DataView {
  return new DataView(data.buffer, data.byteOffset, data.byteLength);
}

function frameOf(message: Uint8Array): IFrame {
  const end = PRELUDE + viewOf(message).getUint32(4);
  const headers = headersOf(message.subarray(PRELUDE, end));
  const failed = headers[':message-type'] !== 'event';
  return {
    kind: headers[failed ? ':exception-type' : ':event-type'] ?? '',
    failed,
    data: message.subarray(end, message.length - AROUND + PRELUDE)
  };
}

/** Headers that are strings, which all of these are. */
function headersOf(data: Uint8Array): Record<string, string> {
  const view = viewOf(data);
  const decoder = new TextDecoder();
  const found: Record<string, string> = {};
  for (let at = 0; at < data.length;) {
    const name = at + 1;
    const type = name + view.getUint8(at);
    const value = type + 3;
    at = value + view.getUint16(type + 1);
    found[decoder.decode(data.subarray(name, type))] = decoder.decode(
      data.subarray(value, at)
    );
  }
  return found;
}
