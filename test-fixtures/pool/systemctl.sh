#!/bin/bash
# In place of systemctl where nothing is booted: starts what the installed units name, and reloads nginx.
set -euo pipefail
units=/usr/lib/systemd/system
value() { sed -n "s/^$2=//p" "$units/$1" | head -1; }
case "$*" in
  'enable --now condor_credmon_webserver.socket condor_credmon_webserver.service')
    socket=$(value condor_credmon_webserver.socket ListenStream)
    if [ -S "$socket" ]; then exit; fi
    user=$(value condor_credmon_webserver.service User)
    program=$(value condor_credmon_webserver.service ExecStart)
    nohup systemd-socket-activate --listen="$socket" \
      setpriv --reuid="$user" --regid="$user" --init-groups $program \
      > /var/log/portal.out 2>&1 < /dev/null &
    until [ -S "$socket" ]; do sleep 0.1; done
    chown "$(value condor_credmon_webserver.socket SocketUser):$(value condor_credmon_webserver.socket SocketGroup)" "$socket"
    chmod "$(value condor_credmon_webserver.socket SocketMode)" "$socket" ;;
  'enable --now condor_credmon.service')
    nohup $(value condor_credmon.service ExecStart) > /var/log/credmon.out 2>&1 < /dev/null & ;;
  'reload condor_credmon_webserver') pkill -HUP --uid condor --full condor_credmon_webserver ;;
  'reload nginx')
    workers() { pgrep --parent "$(cat /run/nginx.pid)" | sort; }
    before=$(workers)
    nginx -s reload
    # A reader is not as fast as this: the new processes answer.
    while comm -12 <(echo "$before") <(workers) | grep -q .; do sleep 0.05; done ;;
  *) echo "not expected here: systemctl $*" >&2; exit 1 ;;
esac
