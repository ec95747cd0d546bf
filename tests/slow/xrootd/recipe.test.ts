// The recipe of a site that runs XRootD with tokens, as docs/scitokens-xrootd.md gives
// it.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { blocks, runBlocks } from './pages.ts';
import { AUDIENCE, command, get, missing, PAGE, put, rig, run, token } from './world.ts';

describe.skipIf(missing)(
  'the recipe of a site (docs/scitokens-xrootd.md): read:/osg, write:/osg, curl, map_subject',
  () => {
    const curl = async (...argv: string[]): Promise<string> =>
      (await run('curl', ['-s', '-o', '-', '-w', '%{http_code}', ...argv])).stdout;

    it("writes and reads below the scope with the Python tool's name and a key made the old way", async () => {
      const key = join(rig.directory, 'osg.pem');
      writeFileSync(
        key,
        await command('scitokens-admin-create-key', '--ec', '--create-keys', '--pem-private'),
        { mode: 0o600 },
      );
      const jwks = JSON.parse(
        await command(
          'scitokens-admin-create-key',
          '--ec',
          '--private-keyfile',
          key,
          '--jwks-public',
        ),
      ) as { keys: { kid: string }[] };
      writeFileSync(join(rig.directory, 'web/osg/.well-known/jwks.json'), JSON.stringify(jwks));
      const bearer = (
        await command(
          'scitokens-admin-create-token',
          '--keyfile',
          key,
          '--key_id',
          jwks.keys[0]?.kid ?? '',
          '--issuer',
          `${rig.issuers}/osg`,
          `aud=${AUDIENCE}`,
          'sub=alice',
          'scope=read:/osg/alice write:/osg/alice',
        )
      ).trim();
      const file = join(rig.directory, 'osg.txt');
      writeFileSync(file, 'from the site\n');
      const header = `Authorization: Bearer ${bearer}`;
      expect(await curl('-H', header, '-T', file, `${rig.storage}/osg/alice/f`)).toMatch(/200$/);
      expect(await curl('-H', header, `${rig.storage}/osg/alice/f`)).toBe('from the site\n200');
      expect(await curl('-H', header, '-T', file, `${rig.storage}/osg/bob/f`)).toMatch(/403$/);
    });

    it('is what the page says, line by line', async () => {
      const directory = join(rig.directory, 'recipe');
      mkdirSync(directory);
      const texts = blocks(PAGE, 'sh recipe').map((text) =>
        text
          .replaceAll('/var/www/issuer', join(rig.directory, 'web'))
          .replaceAll('https://issuer.example.org', rig.issuers)
          .replaceAll('https://storage.example.org', AUDIENCE)
          .replaceAll('http://storage.example.org:1094', rig.storage)
          .replaceAll('/etc/xrootd/scitokens.cfg', join(rig.directory, 'scitokens.cfg')),
      );
      rig.forgetKeys();
      const output = await runBlocks(texts, directory);
      expect(output).toMatch(/from the site\n/);
      expect(output).toMatch(/^accepted: write \/osg\/alice\/file as alice$/m);
      expect(output).toMatch(/^accepted: scitoken:2\.0, ES256/m);
    });

    it('a base_path goes in front of what the scope says', async () => {
      const bearer = await token('vo', 'read:/store write:/store');
      expect(await put('/vo/store/f', bearer)).toBe(200);
      expect(await get('/vo/store/f', bearer)).toBe('contents');
      expect(await put('/store/f', bearer)).toBe(403);
    });
  },
);
