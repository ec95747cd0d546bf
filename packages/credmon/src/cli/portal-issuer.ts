// Which issuer the web portal publishes keys for, and how those of another are published.
import { shellWord, type Config } from '@credmon/core';

/** The one issuer that the web portal stands for. */
export function portalIssuer(config: Config): string {
  return config.get('LOCAL_CREDMON_ISSUER') ?? config.expand('https://$(FULL_HOSTNAME)');
}

/** The command that publishes the keys of a provider; where the portal does not, it needs a web server's top directory. */
export function publishCommand(provider: string, byPortal: boolean): string {
  const command = 'condor_credmon keys publish';
  return byPortal ? command : `${command} WEBDIR --provider ${shellWord(provider)}`;
}
