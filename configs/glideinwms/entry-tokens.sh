#!/bin/sh
# Makes a fresh token for each factory entry of a list. Run it as root from cron every 20 minutes, and when an entry is added:
#   entry-tokens.sh /etc/gwms-frontend/entries /var/lib/gwms-frontend/tokens.d frontend
# A line of the list has the name of an entry and the audience of its CE: ce1 ce1.example.edu:9619
set -u
if [ $# -ne 3 ]; then
  echo "usage: entry-tokens.sh LIST DIRECTORY OWNER" >&2
  exit 2
fi
status=0
while read -r entry audience rest; do
  case $entry in
    '' | '#'*) continue ;;
  esac
  condor_credmon token frontend --subject="vofrontend-$entry" --audience="$audience" \
    --output="$2/$entry.scitoken" --owner="$3" </dev/null || status=1
done <"$1"
exit $status
