// `npm run screenshots` takes every picture: of the right width, and not of one colour.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import { startProcess } from '@credmon/test-fixtures/processes/processes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing, programPath } from '../support/needs.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));
const PAGES = ['portal-start', 'portal-error', 'portal-list', 'portal-confirm', 'portal-half'];
const NAMES = [...PAGES, 'portal-done', 'status', 'check'];
const LOOKS = ['light-1280', 'dark-1280', 'light-320', 'dark-320'];

/** A picture: its size in pixels, and how many different bytes its lines have. */
interface Picture {
  readonly width: number;
  readonly height: number;
  readonly values: number;
}

/** @see PNG (Portable Network Graphics) Specification, section 5 */
function pictureIn(file: string): Picture {
  const bytes = readFileSync(file);
  if (bytes.subarray(1, 4).toString('latin1') !== 'PNG') throw new Error(`${file} is no PNG file`);
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    const kind = bytes.toString('latin1', at + 4, at + 8);
    if (kind === 'IDAT') data.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  const values = new Set(inflateSync(Buffer.concat(data)));
  return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), values: values.size };
}

describe.skipIf(isMissing('chromium'))('npm run screenshots', () => {
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'credmon-pictures-'));
    const child = startProcess(
      process.execPath,
      ['scripts/screenshots.mjs', folder],
      {
        PATH: process.env['PATH'] ?? '',
        HOME: folder,
        CHROMIUM: programPath('chromium'),
        LC_ALL: 'C.UTF-8',
      },
      { directory: checkout },
    );
    const { code } = await child.exited;
    if (code !== 0) throw new Error(`npm run screenshots ended with ${code}: ${child.output}`);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('takes these pictures and no other', () => {
    const wanted = NAMES.flatMap((name) => LOOKS.map((look) => `${name}-${look}.png`));
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.png'))
        .sort(),
    ).toEqual(wanted.sort());
  });

  it.each(NAMES.flatMap((name) => LOOKS.map((look) => [name, look] as const)))(
    '%s, %s',
    (name, look) => {
      const { width, height, values } = pictureIn(join(folder, `${name}-${look}.png`));
      const limit = Number(look.split('-')[1]);
      // The output of a command is as wide as its lines, at most the window.
      const least = name.startsWith('portal') ? limit : 100;
      expect([width >= least, width <= limit]).toEqual([true, true]);
      expect(height).toBeGreaterThan(50);
      expect(values).toBeGreaterThan(16);
    },
  );

  it('dark and light differ', () => {
    for (const name of NAMES)
      for (const width of ['1280', '320']) {
        const [light, dark] = ['light', 'dark'].map((look) =>
          readFileSync(join(folder, `${name}-${look}-${width}.png`)),
        );
        expect(light?.equals(dark ?? Buffer.of())).toBe(false);
      }
  });
});
