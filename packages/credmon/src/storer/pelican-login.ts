// A Pelican login: the pelican program brings a first access token, which condor_credmon
// exchanges for one that can be renewed.
import { CodedError } from '@credmon/core/base';
import type { Run } from './programs.ts';
import type { StoreRequest } from './request.ts';
import type { PelicanSettings } from './settings.ts';
import type { StoreCred } from './store-cred.ts';

const PERMISSIONS = ['read', 'write', 'modify'];

/**
 * Stores what `pelican token fetch` brings.
 * @throws CodedError `CONFIG_INVALID` without a usable <SERVICE>_PELICAN_URL or
 * _PERMISSIONS; `PROGRAM_FAILED`
 */
export async function pelicanLogin(
  world: { readonly run: Run; readonly storeCred: StoreCred; readonly stderr: number },
  request: StoreRequest,
  { url, permissions }: PelicanSettings,
): Promise<void> {
  const { service } = request;
  if (!/^[a-z]+:\/\/[!-~]+$/.test(url))
    throw new CodedError(
      'CONFIG_INVALID',
      `${service}_PELICAN_URL is not set to a URL; the administrator must say where`,
    );
  const flags = permissions.map((name) => name.toLowerCase());
  if (!flags.every((flag) => PERMISSIONS.includes(flag)))
    throw new CodedError(
      'CONFIG_INVALID',
      `${service}_PELICAN_PERMISSIONS may name ${PERMISSIONS.join(', ')}`,
    );
  const args = ['token', 'fetch', ...flags.map((flag) => `--${flag}`), url];
  const { code, output } = await world.run('pelican', args, { stderr: world.stderr });
  const token = output.split('\n').findLast((line) => /^[\w.~+/-]+=*$/.test(line));
  if (code !== 0 || token === undefined)
    throw new CodedError(
      'PROGRAM_FAILED',
      `pelican brought no token for ${service} (exit code ${code})`,
      {
        program: 'pelican',
        code,
      },
    );
  await world.storeCred.add(request, { access_token: token });
}
