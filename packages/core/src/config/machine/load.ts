// Reads the configuration of this machine, as the daemons and the command line tools do.
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

/** What to read, and as whom. */
export interface LoadOptions {
  /**
   * The name that prefixes are matched with and `$(SUBSYSTEM)` gives, as `CREDMON_OAUTH`.
   */
  readonly subsystem: string;
  readonly localName?: string | undefined;
  /**
   * The process's environment: CONDOR_CONFIG, `_CONDOR_` variables, and what `$ENV()` may
   * see.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `false` refuses every command that a configuration asks for. Default: true. */
  readonly commandsAllowed?: boolean;
  /** Seconds that such a command may take. Default: 30. */
  readonly commandSeconds?: number;
  /** Facts about the machine to use in place of what is detected. */
  readonly facts?: Partial<HostFacts>;
  /** Evaluates ClassAd expressions. */
  readonly evaluate?: EvaluateExpression;
  /**
   * A whole number from 0 up to, not including, its argument; for `$RANDOM_CHOICE` and
   * `$RANDOM_INTEGER`.
   */
  readonly random?: (below: number) => number;
  /**
   * Learns of each mistake, and the rest is read all the same; without it the first
   * mistake is thrown.
   */
  readonly tolerate?: (error: CodedError) => void;
}

/**
 * Reads HTCondor's configuration as HTCondor itself would.
 * @throws CodedError `CONFIG_SYNTAX`, `CONFIG_READ` or `CONFIG_LIMIT`; the message begins
 * with `file:line: `.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export function loadConfig(options: LoadOptions): Config {
  return readConfiguration({
    subsystem: options.subsystem,
    localName: options.localName,
    env: options.env,
    facts: { ...machineFacts(), ...options.facts },
    host: machineHost(options.commandSeconds ?? 30),
    defaults: indexedDefaults,
    templates: indexedTemplates,
    evaluate: options.evaluate ?? evaluateExpression,
    random:
      options.random ?? ((below) => (below > 1 ? randomInt(Math.min(below, 2 ** 48 - 1)) : 0)),
    commandsAllowed: options.commandsAllowed ?? true,
    version: [25, 14, 0],
    tolerate: options.tolerate,
  });
}
