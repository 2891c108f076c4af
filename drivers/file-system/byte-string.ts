/**
 * File names as strings of one character (U+0000 to U+00FF) a byte: lossless for any bytes, cheap by the
 * million, and `<` on them is byte order. They never leave the drivers.
 */
export type ByteString = string;

/** The longest relative name that is followed, as Linux' own PATH_MAX; it also bounds the depth of a walk. */
export const MAX_NAME_BYTES = 4096;
/** NAME_MAX of Linux' file systems. */
const MAX_COMPONENT_BYTES = 255;

export function toByteString(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

export function fromByteString(text: ByteString): Buffer {
  return Buffer.from(text, 'latin1');
}

/** The components of a relative name; null when one of them is no plain name of an entry in a folder. */
export function splitName(name: Uint8Array): ByteString[] | null {
  const components = toByteString(name).split('/');
  return components.every(isEntryName) ? components : null;
}

function isEntryName(component: ByteString): boolean {
  return (
    component !== '' &&
    component !== '.' &&
    component !== '..' &&
    component.length <= MAX_COMPONENT_BYTES &&
    !component.includes('\0')
  );
}
