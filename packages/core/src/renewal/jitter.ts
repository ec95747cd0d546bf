// A token's own place between 0 and 1: the same at every start, different for every
// token, so that nothing comes due in one second.

/** FNV-1a over the text, scaled to [0, 1). */
export function jitterOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  // The low bits of FNV-1a mix badly for names that differ in their last letter only.
  hash ^= hash >>> 15;
  hash = Math.imul(hash, 0x2c1b3c6d);
  hash ^= hash >>> 12;
  return (hash >>> 0) / 0x1_0000_0000;
}
