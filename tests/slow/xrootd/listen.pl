# Becomes an XRootD that listens on loopback only: it has no option for that, but takes sockets the systemd way.
use strict;
use warnings;
use Socket;

my ($port, @command) = @ARGV;
$^F = 10;    # sockets up to this number survive the exec
socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
bind($socket, pack_sockaddr_in($port, INADDR_LOOPBACK)) or die "bind: $!";
fileno($socket) == 3 or die "expected descriptor 3, got " . fileno($socket);
$ENV{LISTEN_PID} = $$;
$ENV{LISTEN_FDS} = 1;
exec(@command) or die "exec $command[0]: $!";
