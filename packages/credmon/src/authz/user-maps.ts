// The configured maps of userMap().
import { knob, ownKnob, type KnobReader } from '@credmon/core/config';

/** A configured map: a file, or its text in the configuration. */
export interface UserMapSettings {
  readonly name: string;
  readonly file: string | undefined;
  readonly data: string | undefined;
  readonly prefix: boolean;
}

/**
 * Reads CLASSAD_USER_MAP_NAMES, or the knob of the program's subsystem, which the
 * configuration prefers.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html
 */
export function readUserMaps(read: KnobReader, subsystem: string): readonly UserMapSettings[] {
  const names =
    read.list(ownKnob('CLASSAD_USER_MAP_NAMES', subsystem)) ??
    read.list('CLASSAD_USER_MAP_NAMES') ??
    [];
  return names.map((name) => ({
    name,
    file: read.path(knob('CLASSAD_USER_MAPFILE_<MAP>', name)),
    data: read.string(knob('CLASSAD_USER_MAPDATA_<MAP>', name)),
    prefix: read.boolean(knob('CLASSAD_USER_MAP_PREFIX_<MAP>', name)),
  }));
}
