// HTCondor's own knobs, read in the same way by every program of this project.
import type { Config } from '../table/config.ts';
import type { KnobReader } from './knob-reader.ts';
import type { NamedTrust } from '../../base/http/trust.ts';

/** A user id with its group id. */
export interface AccountIds {
  readonly uid: number;
  readonly gid: number;
}

const REFERENCE = '$ENV(CONDOR_IDS)';
/** The values of a reference to an unset variable, expanded and unexpanded. */
const NOT_SET: readonly string[] = ['UNDEFINED', REFERENCE];

/**
 * Returns the ids of the environment variable CONDOR_IDS, else of the knob. Returns
 * `undefined` if neither is set: then the user condor is used. Records an invalid value.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#CONDOR_IDS
 */
export function readCondorIds(config: Config, read: KnobReader): AccountIds | undefined {
  const fromEnvironment = config.expand(REFERENCE);
  const text = NOT_SET.includes(fromEnvironment) ? read.string('CONDOR_IDS') : fromEnvironment;
  if (text === undefined || text === '') return undefined;
  const [, uid, gid] = /^\s*(\d{1,10})\.(\d{1,10})\s*$/.exec(text) ?? [];
  if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) };
  read.mistake(
    'CONDOR_IDS',
    `is ${JSON.stringify(text)}; must be a user id and a group id, such as 64.64`,
  );
  return undefined;
}

// The certificate authorities named in the configuration, for all programs of this
// project.

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

// The directory that CredD and every program of this project meet in.

/**
 * Reads SEC_CREDENTIAL_DIRECTORY_OAUTH, else its older names. Empty, with a mistake noted,
 * when none is set.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#SEC_CREDENTIAL_DIRECTORY_OAUTH
 */
export function readCredentialDirectory(read: KnobReader): string {
  const path =
    read.path('SEC_CREDENTIAL_DIRECTORY_OAUTH') ??
    read.path('SEC_CREDENTIAL_DIRECTORY') ??
    read.path('SEC_CREDENTIAL_DIR');
  if (path === undefined)
    read.mistake(
      'SEC_CREDENTIAL_DIRECTORY_OAUTH',
      'is not set; add "use feature : OAUTH", or set it to the credential directory',
    );
  return path ?? '';
}
