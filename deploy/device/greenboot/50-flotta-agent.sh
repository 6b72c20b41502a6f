#!/bin/sh
# A health check of greenboot (/usr/lib/greenboot/check/required.d): after a boot the agent has to be running, or the machine goes back to the operating system of before.
# Whether it also reaches the server is for the agent to find out, which takes an upgrade back by itself: a network that is slow or away must not count as a bad boot.
set -eu
# A machine whose agent nobody has asked for, or told its server, is no worse for it.
systemctl is-enabled --quiet flotta-agent.service 2>/dev/null || exit 0
grep -q '^ *server' /etc/flotta-agent/config.toml 2>/dev/null || systemctl show --property=ExecStart flotta-agent.service 2>/dev/null | grep -q -e --server || exit 0
# Its start may wait for the network for a minute or two, which is no failure.
waits=150
while [ "$waits" -gt 0 ]; do
  job=$(systemctl show --property=Job --value flotta-agent.service || true)
  [ "${job:-0}" != 0 ] || break
  waits=$((waits - 1))
  sleep 2
done
tries=30
while [ "$tries" -gt 0 ]; do
  if systemctl is-active --quiet flotta-agent.service; then
    # Started and still there: not one that is started over and over.
    before=$(systemctl show --property=MainPID --value flotta-agent.service)
    sleep 10
    after=$(systemctl show --property=MainPID --value flotta-agent.service)
    if [ "$before" = "$after" ] && [ "$after" != 0 ]; then exit 0; fi
  fi
  tries=$((tries - 1))
  sleep 2
done
echo "flotta-agent.service does not stay up" >&2
exit 1
