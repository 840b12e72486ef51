const TABLE = new Uint32Array(256).map((_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) {
    value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return value;
});

/**
 * CRC-32 of some bytes in base64, as S3 wants it of what it must not misread.
 *
 * The browser's own SHA-256 is absent where Jupyter is served without TLS.
 */
export function crc32(bytes: Uint8Array): string {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value = TABLE[(value ^ byte) & 0xff] ^ (value >>> 8);
  }
  value = ~value >>> 0;
  return btoa(
    String.fromCharCode(
      value >>> 24,
      (value >>> 16) & 255,
      (value >>> 8) & 255,
      value & 255
    )
  );
}
