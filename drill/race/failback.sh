#!/usr/bin/env bash
# 'Failback' of the dual-region operational procedure for Camunda 8.5, with the commands as they stand there; see
# failover.sh. The recreated region is there, and empty, its namespace and Secret made.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

# The isolation of the failover goes first: the procedure leaves that to the operator, who has made it.
begin B0
kubectl --context "$CLUSTER_SURVIVING" delete -n "$CAMUNDA_NAMESPACE_SURVIVING" -f isolation.yml
kubectl --context "$CLUSTER_SURVIVING" delete -n "$CAMUNDA_NAMESPACE_FAILOVER" -f isolation.yml
end B0

# Step 1: Deploy Camunda 8 in the failback mode in the newly created region.
begin B1
helm install "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_RECREATED" \
  --namespace "$CAMUNDA_NAMESPACE_RECREATED" \
  -f camunda-values.yml \
  -f "$REGION_RECREATED/camunda-values.yml" \
  --set global.multiregion.installationType=failBack \
  --set operate.enabled=false \
  --set tasklist.enabled=false
until_joined "$CAMUNDA_NAMESPACE_RECREATED" $((CLUSTER_SIZE / 4))
kubectl --context "$CLUSTER_RECREATED" rollout status --watch \
  "statefulset/$HELM_RELEASE_NAME-elasticsearch-master" -n "$CAMUNDA_NAMESPACE_RECREATED"
end B1

# Step 2: Pause Zeebe exporters to Elasticsearch, pause Operate and Tasklist.
begin B2
kubectl --context "$CLUSTER_SURVIVING" scale -n "$CAMUNDA_NAMESPACE_SURVIVING" \
  "deployments/$HELM_RELEASE_NAME-operate" --replicas 0
kubectl --context "$CLUSTER_SURVIVING" scale -n "$CAMUNDA_NAMESPACE_SURVIVING" \
  "deployments/$HELM_RELEASE_NAME-tasklist" --replicas 0
exporting pause
end B2

# Step 3: Create and restore Elasticsearch backup.
begin B3
repository='{"type": "fs", "settings": {"location": "'$BACKUP_LOCATION'"}}'
engine "$CLUSTER_SURVIVING" "$CAMUNDA_NAMESPACE_SURVIVING" -XPUT \
  "http://localhost:9200/_snapshot/camunda_backup" -H "Content-Type: application/json" -d "$repository"
engine "$CLUSTER_SURVIVING" "$CAMUNDA_NAMESPACE_SURVIVING" -XPUT \
  "http://localhost:9200/_snapshot/camunda_backup/failback?wait_for_completion=true"
engine "$CLUSTER_SURVIVING" "$CAMUNDA_NAMESPACE_SURVIVING" -XGET \
  "http://localhost:9200/_snapshot/camunda_backup/_all" | grep SUCCESS >/dev/null
engine "$CLUSTER_RECREATED" "$CAMUNDA_NAMESPACE_RECREATED" -XPUT \
  "http://localhost:9200/_snapshot/camunda_backup" -H "Content-Type: application/json" -d "$repository"
engine "$CLUSTER_RECREATED" "$CAMUNDA_NAMESPACE_RECREATED" -XGET \
  "http://localhost:9200/_snapshot/camunda_backup/_all" | grep SUCCESS >/dev/null
engine "$CLUSTER_RECREATED" "$CAMUNDA_NAMESPACE_RECREATED" -XPOST \
  "http://localhost:9200/_snapshot/camunda_backup/failback/_restore?wait_for_completion=true"
engine "$CLUSTER_RECREATED" "$CAMUNDA_NAMESPACE_RECREATED" -XGET \
  "http://localhost:9200/_snapshot/camunda_backup/failback/_status" | grep SUCCESS >/dev/null
end B3

# Step 4: Configure Zeebe exporters to use Elasticsearch in the recreated region.
begin B4
cp camunda-values-in-normal.yml camunda-values.yml  # as generate_zeebe_helm_values.sh failback says
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_SURVIVING" \
  --namespace "$CAMUNDA_NAMESPACE_SURVIVING" \
  -f camunda-values.yml \
  -f "$REGION_SURVIVING/camunda-values.yml" \
  --set operate.enabled=false \
  --set tasklist.enabled=false
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_SURVIVING" \
  --namespace "$CAMUNDA_NAMESPACE_FAILOVER" \
  -f camunda-values.yml \
  -f "$REGION_SURVIVING/camunda-values-failover.yml"
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_RECREATED" \
  --namespace "$CAMUNDA_NAMESPACE_RECREATED" \
  -f camunda-values.yml \
  -f "$REGION_RECREATED/camunda-values.yml" \
  --set global.multiregion.installationType=failBack \
  --set operate.enabled=false \
  --set tasklist.enabled=false
kubectl --context "$CLUSTER_RECREATED" --namespace "$CAMUNDA_NAMESPACE_RECREATED" delete pods \
  --selector=app\.kubernetes\.io/component=zeebe-broker
kubectl --context "$CLUSTER_SURVIVING" rollout status --watch "statefulset/$HELM_RELEASE_NAME-zeebe" \
  -n "$CAMUNDA_NAMESPACE_SURVIVING"
kubectl --context "$CLUSTER_SURVIVING" rollout status --watch "statefulset/$HELM_RELEASE_NAME-zeebe" \
  -n "$CAMUNDA_NAMESPACE_FAILOVER"
until_whole
end B4

# Step 5: Reactivate Zeebe exporters, Operate, and Tasklist.
begin B5
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_SURVIVING" \
  --namespace "$CAMUNDA_NAMESPACE_SURVIVING" \
  -f camunda-values.yml \
  -f "$REGION_SURVIVING/camunda-values.yml"
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_RECREATED" \
  --namespace "$CAMUNDA_NAMESPACE_RECREATED" \
  -f camunda-values.yml \
  -f "$REGION_RECREATED/camunda-values.yml" \
  --set global.multiregion.installationType=failBack
exporting resume
end B5

# Step 6: Remove temporary failover installation.
begin B6
helm uninstall "$HELM_RELEASE_NAME" --kube-context "$CLUSTER_SURVIVING" --namespace "$CAMUNDA_NAMESPACE_FAILOVER"
kubectl --context "$CLUSTER_SURVIVING" delete pvc --all -n "$CAMUNDA_NAMESPACE_FAILOVER"
until [ -z "$(kubectl --context "$CLUSTER_SURVIVING" get pods -n "$CAMUNDA_NAMESPACE_FAILOVER" -o name)" ]; do look; done
end B6

# Step 7: Switch Zeebe brokers in the recreated region to normal mode.
begin B7
helm upgrade "$HELM_RELEASE_NAME" "$HELM_CHART" \
  --kube-context "$CLUSTER_RECREATED" \
  --namespace "$CAMUNDA_NAMESPACE_RECREATED" \
  -f camunda-values.yml \
  -f "$REGION_RECREATED/camunda-values.yml"
kubectl --context "$CLUSTER_RECREATED" --namespace "$CAMUNDA_NAMESPACE_RECREATED" delete pods \
  --selector=app\.kubernetes\.io/component=zeebe-broker
until_joined "$CAMUNDA_NAMESPACE_RECREATED" $((CLUSTER_SIZE / 2))
until_joined "$CAMUNDA_NAMESPACE_SURVIVING" $((CLUSTER_SIZE / 2))
until_whole
end B7
