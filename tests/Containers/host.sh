#!/bin/bash
# Inside a container: all that runs on a compute host.   host.sh DIR NAME CONTROL-ADDRESS API-PORT AMQP-PORT
# An agent that was killed is started again when DIR/again is there.
set -uo pipefail
dir=$1 name=$2 control=$3 api=$4 amqp=$5
mount -o remount,rw /proc/sys && mount -o remount,rw /sys && mount --make-rshared / || exit 1
CS_LIBVIRT_CACHE=/libvirt-cache bash /infra/host/libvirtd.sh start "$dir/libvirt" || exit 1
/cloud/Cloud.Agents.Sidecar --socket "$dir/sidecar.sock" --uri "qemu+unix:///system?socket=$dir/libvirt/run/libvirt-sock" > "$dir/sidecar.log" 2>&1 &
while :; do
  rm -f "$dir/again"
  /cloud/Cloud.Agents.Host --name "$name" --data "$dir/host" --sidecar "$dir/sidecar.sock" --control "amqp://$control:$amqp" --control-http "http://$control:$api" \
    --credential-file "$dir/secret" --tunnel-address "$(hostname -I | cut -d' ' -f1)" 2>> "$dir/agent.log"
  echo "gone $name"
  until [ -e "$dir/again" ]; do sleep 0.2; done
done
