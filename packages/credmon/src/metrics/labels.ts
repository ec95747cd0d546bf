// Limits the names in the metrics: users may invent names of services, and every name is
// a stored time series.
import type { Settings } from '../settings/read.ts';

/**
 * The labels of a token: the service's name, never the user's, and the kind of its
 * provider.
 */
export interface ProviderLabels {
  readonly provider: string;
  readonly kind: string;
}

/** Maximum number of unconfigured names that are shown individually. */
const MOST_UNKNOWN = 50;
/** The name for all others. */
const OTHERS = 'other';

/** The settings with names of services. */
export type NameSettings = Pick<Settings, 'lists' | 'clients' | 'standing'>;

/**
 * Returns a name as configured, if it is; names of clients are case-insensitive, so they
 * are shown in lower case.
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
 * Returns a function that limits names: configured ones, the first `most` others, and one
 * name for the rest.
 */
export function boundedNames(
  configured: (name: string) => string | undefined,
  most: number = MOST_UNKNOWN,
): (name: string) => string {
  const unknown = new Set<string>();
  return (name) => {
    const shown = configured(name);
    if (shown !== undefined || unknown.has(name)) return shown ?? name;
    if (unknown.size >= most) return OTHERS;
    unknown.add(name);
    return name;
  };
}
