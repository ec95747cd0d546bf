// The certificate authorities that the configuration names, as every program of this
// project reads them.
import type { NamedTrust } from '../../base/http/trust.ts';
import type { KnobReader } from './knob-reader.ts';

/** The knobs of {@link readNamedTrust}, for messages. */
export const AUTH_SSL_KNOBS = 'AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR';

/**
 * Reads AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#AUTH_SSL_CLIENT_CAFILE
 */
export function readNamedTrust(read: KnobReader): NamedTrust {
  return {
    caFile: read.path('AUTH_SSL_CLIENT_CAFILE'),
    caDirectory: read.path('AUTH_SSL_CLIENT_CADIR'),
    knobs: AUTH_SSL_KNOBS,
  };
}
