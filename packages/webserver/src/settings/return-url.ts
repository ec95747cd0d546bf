// Which return URLs lead back to this server.
import type { Settings } from './settings.ts';

/**
 * Why an issuer that sends browsers to `returnUrl` would send them elsewhere; `undefined`
 * when they come back here.
 */
export function returnUrlProblem(
  { prefix, mount }: Pick<Settings, 'prefix' | 'mount'>,
  returnUrl: string,
): string | undefined {
  const { origin, pathname } = new URL(returnUrl);
  const path = pathname.replaceAll(/\/+/g, '/');
  const served = path === `${mount}/return` || path.startsWith(`${mount}/return/`);
  return served && origin === new URL(prefix).origin ? undefined : `is not under ${prefix}/return`;
}
