#!/bin/bash
# What the official camunda/zeebe image starts: a gateway, a restore or a broker, as the environment says.
set -eu

host=$(hostname -i)

if [ "${ZEEBE_STANDALONE_GATEWAY:-false}" = "true" ]; then
  export ZEEBE_GATEWAY_NETWORK_HOST=${ZEEBE_GATEWAY_NETWORK_HOST:-$host}
  export ZEEBE_GATEWAY_CLUSTER_HOST=${ZEEBE_GATEWAY_CLUSTER_HOST:-$ZEEBE_GATEWAY_NETWORK_HOST}
  exec /usr/local/zeebe/bin/gateway
elif [ "${ZEEBE_RESTORE:-false}" = "true" ]; then
  exec /usr/local/zeebe/bin/restore --backupId="${ZEEBE_RESTORE_FROM_BACKUP_ID:?}"
else
  export ZEEBE_BROKER_NETWORK_HOST=${ZEEBE_BROKER_NETWORK_HOST:-$host}
  export ZEEBE_BROKER_GATEWAY_CLUSTER_HOST=${ZEEBE_BROKER_GATEWAY_CLUSTER_HOST:-$ZEEBE_BROKER_NETWORK_HOST}
  exec /usr/local/zeebe/bin/broker
fi
