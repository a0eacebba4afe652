#!/bin/bash
# What the official camunda/zeebe image starts: a gateway or a broker, as the environment says.
set -eu

host=$(hostname -i | cut -d' ' -f1)

if [ "${ZEEBE_STANDALONE_GATEWAY:-false}" = "true" ]; then
  export ZEEBE_GATEWAY_CLUSTER_HOST=${ZEEBE_GATEWAY_CLUSTER_HOST:-$host}
  exec /usr/local/zeebe/bin/gateway
else
  export ZEEBE_BROKER_NETWORK_HOST=${ZEEBE_BROKER_NETWORK_HOST:-$host}
  exec /usr/local/zeebe/bin/broker
fi
