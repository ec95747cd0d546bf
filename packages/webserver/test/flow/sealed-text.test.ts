// Encrypted texts that the server cannot decrypt without the cookie.
import { describe, expect, it } from 'vitest';
import { SEAL_RANDOM_BYTES, seal, unseal } from '../../src/flow/held-answer.ts';

const nonce = new Uint8Array(SEAL_RANDOM_BYTES).fill(7);
const sealed = seal('cookie', 'answer 1', nonce, 'canary \u00e4');

describe('R43 a sealed text', () => {
  it('opens with its secret and info, and reveals nothing of its text', () => {
    expect(unseal('cookie', 'answer 1', sealed)).toBe('canary \u00e4');
    expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('canary');
  });

  it.each([
    ['another secret', 'cookie2', 'answer 1', sealed],
    ['another info', 'cookie', 'answer 2', sealed],
    ['nothing sealed', 'cookie', 'answer 1', ''],
    ['a few bytes', 'cookie', 'answer 1', 'AAAA'],
    ['text that is not base64', 'cookie', 'answer 1', '{"type":"x"}'],
    ['a missing end', 'cookie', 'answer 1', sealed.slice(0, -4)],
    [
      'a changed byte',
      'cookie',
      'answer 1',
      sealed.replace(/.$/, (end) => (end === 'A' ? 'Q' : 'A')),
    ],
  ])('does not open with %s', (_title, secret, info, text) => {
    expect(unseal(secret, info, text)).toBeUndefined();
  });
});
