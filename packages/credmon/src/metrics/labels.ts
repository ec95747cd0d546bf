// The names that stand in the metrics: users may invent names of services, and every name
// is a series that somebody keeps.
import type { Settings } from '../settings/read.ts';

/**
 * Whose token it is: the service's name, never the user's, and the kind of its provider.
 */
export interface ProviderLabels {
  readonly provider: string;
  readonly kind: string;
}

/** So many names that no configuration mentions are shown by themselves... */
const MOST_UNKNOWN = 50;
/** ...all further ones together. */
const OTHERS = 'other';

/** The settings that mention names of services. */
export type NameSettings = Pick<Settings, 'lists' | 'clients' | 'standing'>;

/**
 * A name as the configuration knows it, if it does; names of clients compare without
 * case, so they are shown in lower case.
 */
export function configuredName(
  { lists, clients, standing }: NameSettings,
  name: string,
): string | undefined {
  const { specialNames: _, ...named } = lists;
  if (Object.values(named).some((list) => list !== '*' && list.includes(name))) return name;
  if (standing.some((token) => token.name === name)) return name;
  return clients.has(name.toUpperCase()) ? name.toLowerCase() : undefined;
}

/**
 * The names as they may be shown: those that the administrator knows, the first others,
 * and one for the rest.
 */
export function boundedNames(
  known: (name: string) => string | undefined,
  most: number = MOST_UNKNOWN,
): (name: string) => string {
  const unknown = new Set<string>();
  return (name) => {
    const shown = known(name);
    if (shown !== undefined || unknown.has(name)) return shown ?? name;
    if (unknown.size >= most) return OTHERS;
    unknown.add(name);
    return name;
  };
}
