/** Browsers of 2025 and later decode by themselves, many times faster. */
const native = (
  Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }
).fromBase64;

/** The bytes that a text in base64 stands for. */
export function bytesOf(base64: string): Uint8Array<ArrayBuffer> {
  if (native) {
    return native.call(Uint8Array, base64);
  }
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at++) {
    bytes[at] = text.charCodeAt(at);
  }
  return bytes;
}

/** Bytes as a text in base64. */
export async function base64Of(bytes: Blob): Promise<string> {
  const reader = new FileReader();
  return new Promise((resolve, reject) => {
    reader.onerror = () => reject(new Error(reader.error?.message));
    reader.onload = () => {
      const url = reader.result as string;
      resolve(url.slice(url.indexOf(',') + 1));
    };
    reader.readAsDataURL(bytes);
  });
}
