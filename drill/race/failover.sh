#!/usr/bin/env bash
# 'Failover' of the dual-region operational procedure for Camunda 8.5, with the commands as they stand there, at the
# speed of somebody who has prepared everything: the values are generated, the namespaces and Secrets of the failover
# installation are there, and each verification is looked at twice a second and left as soon as it holds.
#
# Before it: the environment of 'Environment prerequisites' and the guide (CLUSTER_SURVIVING, CAMUNDA_NAMESPACE_...,
# REGION_..., HELM_RELEASE_NAME, HELM_CHART, CLUSTER_SIZE). It runs in the folder of the Helm values.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# Step 1: Ensure network isolation between two regions.
begin F1
kubectl --context "$CLUSTER_SURVIVING" apply -n "$CAMUNDA_NAMESPACE_SURVIVING" -f isolation.yml
kubectl --context "$CLUSTER_SURVIVING" apply -n "$CAMUNDA_NAMESPACE_FAILOVER" -f isolation.yml
end F1

# Step 2: Create temporary Camunda 8 installation in the failover mode in the surviving region.
begin F2
cp camunda-values-in-failover.yml camunda-values.yml  # as generate_zeebe_helm_values.sh failover says
helm install "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_SURVIVING" \
  --namespace "$CAMUNDA_NAMESPACE_FAILOVER" \
  -f camunda-values.yml \
  -f "$REGION_SURVIVING/camunda-values-failover.yml"
mark installed
# Verification: the failover brokers have joined the cluster, each with its partitions.
until_joined "$CAMUNDA_NAMESPACE_FAILOVER" $((CLUSTER_SIZE / 4))
end F2

# Step 3: Configure Zeebe to export data to temporary Elasticsearch deployment.
begin F3
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_SURVIVING" \
  --namespace "$CAMUNDA_NAMESPACE_SURVIVING" \
  -f camunda-values.yml \
  -f "$REGION_SURVIVING/camunda-values.yml"
kubectl --context "$CLUSTER_SURVIVING" rollout status --watch "statefulset/$HELM_RELEASE_NAME-zeebe" \
  -n "$CAMUNDA_NAMESPACE_SURVIVING"
# Verification: all brokers have joined the Zeebe cluster again.
until_joined "$CAMUNDA_NAMESPACE_SURVIVING" $((CLUSTER_SIZE / 2))
until_joined "$CAMUNDA_NAMESPACE_FAILOVER" $((CLUSTER_SIZE / 4))
end F3
