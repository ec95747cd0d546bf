// Reads the configuration of this machine, for daemons and command line tools.
import { randomInt } from 'node:crypto';
import type { CodedError } from '../../base/errors/errors.ts';
import type { Config } from '../table/config.ts';
import defaults from '../table/defaults.json' with { type: 'json' };
import type { EvaluateExpression } from '../macros/evaluate.ts';
import { evaluateExpression } from '../macros/expressions.ts';
import { machineFacts, machineHost } from './host.ts';
import { readConfiguration, type HostFacts } from '../syntax/read-configuration.ts';
import { indexDefaults } from '../table/table.ts';
import templates from '../syntax/templates.json' with { type: 'json' };
import { indexTemplates } from '../syntax/templates.ts';

const indexedDefaults = indexDefaults(defaults);
const indexedTemplates = indexTemplates(templates);

/** The configuration to read, and the reader's name. */
export interface LoadOptions {
  /** The name for prefixes and `$(SUBSYSTEM)`, such as `CREDMON_OAUTH`. */
  readonly subsystem: string;
  readonly localName?: string | undefined;
  /**
   * The process's environment: CONDOR_CONFIG, `_CONDOR_` variables, and variables for
   * `$ENV()`.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads only these files, in this order, and no others that they name as local ones. */
  readonly files?: readonly string[] | undefined;
  /** `false` rejects every command in a configuration. Default: true. */
  readonly commandsAllowed?: boolean;
  /** The maximum seconds of such a command. Default: 30. */
  readonly commandSeconds?: number;
  /** Facts about the machine that override the detected ones. */
  readonly facts?: Partial<HostFacts>;
  /** Evaluates ClassAd expressions. */
  readonly evaluate?: EvaluateExpression;
  /**
   * Returns a whole number from 0 to below its argument; for `$RANDOM_CHOICE` and
   * `$RANDOM_INTEGER`.
   */
  readonly random?: (below: number) => number;
  /**
   * Called with each error; the rest is still read. Without it the first error is thrown.
   */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/**
 * Reads HTCondor's configuration like HTCondor itself.
 * @throws CodedError `CONFIG_SYNTAX`, `CONFIG_READ` or `CONFIG_LIMIT`; the message begins
 * with `file:line: `
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export function loadConfig(options: LoadOptions): Config {
  return readConfiguration({
    subsystem: options.subsystem,
    localName: options.localName,
    env: options.env,
    facts: { ...machineFacts(options.env), ...options.facts },
    host: machineHost(options.commandSeconds ?? 30),
    defaults: indexedDefaults,
    templates: indexedTemplates,
    evaluate: options.evaluate ?? evaluateExpression,
    random:
      options.random ?? ((below) => (below > 1 ? randomInt(Math.min(below, 2 ** 48 - 1)) : 0)),
    commandsAllowed: options.commandsAllowed ?? true,
    files: options.files,
    version: [25, 14, 0],
    tolerate: options.tolerate,
  });
}
