// A socket like that of systemd for the states of services: Node.js has no datagram sockets of
// the kind, so Perl reads them.
import { join } from 'node:path';
import { waitUntil } from '../clocks/wait-until.ts';
import { startProcess } from './processes.ts';

/** The messages of one service. */
export interface NotifySocket {
  /** For NOTIFY_SOCKET. */
  readonly path: string;
  /** The messages so far, each with its assignments in one line. */
  readonly messages: () => readonly string[];
  /** The messages without times, and without those of systemd-notify itself. */
  readonly states: () => readonly string[];
  close(): Promise<void>;
}

const READER = `
use IO::Socket::UNIX; use Socket; $| = 1;
my $socket = IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $ARGV[0]) or die $!;
print "listening\\n";
while (defined $socket->recv(my $text, 65536)) { $text =~ s/\\n+$//; $text =~ s/\\n/ /g; print "$text\\n"; }
`;

/** Opens a socket in `directory`. */
export async function openNotifySocket(directory: string): Promise<NotifySocket> {
  const path = join(directory, 'notify');
  const child = startProcess('perl', ['-e', READER, path], { PATH: process.env['PATH'] ?? '' });
  await waitUntil(() => child.output.includes('listening'), { what: 'the notify socket' });
  const messages = (): string[] => child.output.trimEnd().split('\n').slice(1);
  return {
    path,
    messages,
    states: () =>
      messages()
        .filter((text) => !text.startsWith('BARRIER='))
        .map((text) => text.replace(/ MONOTONIC_USEC=\d+/, ' MONOTONIC_USEC=N')),
    close: async () => void (await child.stop()),
  };
}
