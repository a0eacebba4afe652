#!/bin/bash
# Starts OpenSearch in the place of Elasticsearch, from the environment that the Bitnami chart gives its pods.
#
# DATA_DIR                             where indices live (default /bitnami/elasticsearch/data)
# ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH  the folder that snapshots of type "fs" may use (default /backup)
# ELASTICSEARCH_HEAP_SIZE              heap, as Java writes it (default 192m)
# ELASTICSEARCH_CLUSTER_NAME           (default elastic)
# ELASTICSEARCH_CLUSTER_HOSTS          where to look for other nodes, separated by commas
# ELASTICSEARCH_CLUSTER_MASTER_HOSTS   names of the nodes that found the cluster, separated by commas or spaces
# ELASTICSEARCH_TOTAL_NODES            more than 1 also makes a cluster of several nodes
# ELASTICSEARCH_NODE_NAME, MY_POD_NAME this node's name (default the host's name)
# MY_POD_IP                            this node's address (default that of the host's name)
# ELASTICSEARCH_TRANSPORT_PORT_NUMBER  (default 9300)
# ELASTICSEARCH_HTTP_HOST              where HTTP is listened to (default 0.0.0.0)
# ELASTICSEARCH_HTTP_PORT_NUMBER       (default 9200, at most 9299: the runner refuses ports beyond)
# ELASTICSEARCH_JAVA_OPTS              further options of Java
# OPENSEARCH_HOME                      where lib/, log4j2.properties and opensearch.aot are (default /opt/opensearch)
set -euo pipefail

words() { tr -s ', ' '\n' <<<"$1" | sed '/^$/d'; }
list() { words "$1" | paste -sd, | sed 's/^/[/; s/$/]/'; }

home=${OPENSEARCH_HOME:-/opt/opensearch}
data=${DATA_DIR:-/bitnami/elasticsearch/data}
backup=${ELASTICSEARCH_FS_SNAPSHOT_REPO_PATH:-/backup}
heap=${ELASTICSEARCH_HEAP_SIZE:-192m}
name=${ELASTICSEARCH_NODE_NAME:-${MY_POD_NAME:-$(hostname)}}
address=${MY_POD_IP:-$(hostname -i | cut -d' ' -f1)}
hosts=${ELASTICSEARCH_CLUSTER_HOSTS:-}
founders=${ELASTICSEARCH_CLUSTER_MASTER_HOSTS:-$hosts}
transport=${ELASTICSEARCH_TRANSPORT_PORT_NUMBER:-9300}
http=${ELASTICSEARCH_HTTP_PORT_NUMBER:-9200}
# The root file system may be read-only: settings and logs go where a pod may always write.
base=${TMPDIR:-/tmp}/opensearch

mkdir -p "$base/config" "$base/logs" "$data" ||
  { echo "start.sh: user $(id -u) cannot write to $base or $data" >&2; exit 1; }
[ -w "$data" ] || { echo "start.sh: user $(id -u) cannot write to the data folder $data" >&2; exit 1; }

several_nodes() {
  [ "$(words "$hosts" | wc -l)" -gt 1 ] || [ "$(words "$founders" | wc -l)" -gt 1 ] ||
    [ "${ELASTICSEARCH_TOTAL_NODES:-1}" -gt 1 ]
}

# The runner names every node "Node 1", so names cannot tell founders apart: the first founder founds the
# cluster alone, by its own address, and the others join it.
founds_cluster() {
  local first
  first=$(words "$founders" | head -1)
  [ "${first%%.*}" = "${name%%.*}" ] || [[ "$name" == *-0 && "$first" != *-0* ]]
}

{
  echo "path.repo: $backup"
  # The disk is the machine's: how full it is says nothing of this node.
  echo "cluster.routing.allocation.disk.threshold_enabled: false"
  echo "node.attr.pod: $name"
  echo "http.host: ${ELASTICSEARCH_HTTP_HOST:-0.0.0.0}"
  echo "transport.host: 0.0.0.0"
  echo "transport.port: $transport"
  # Not the advertised name: it may not be resolvable yet, and the node would not start.
  echo "transport.publish_host: $address"
  if several_nodes; then
    echo "discovery.seed_hosts: $(list "$hosts")"
    if founds_cluster; then echo "cluster.initial_cluster_manager_nodes: [\"$address:$transport\"]"; fi
  else
    echo "discovery.type: single-node"
  fi
} >"$base/config/opensearch.yml"
cp "$home/log4j2.properties" "$base/config/log4j2.properties"

# The archive of classes counts only for the class path that it was made with, so the jars stand in a fixed order.
export LC_ALL=C
jars=("$home"/lib/*.jar)
classpath=$(IFS=:; echo "${jars[*]}")
options=(
  "-Xms$heap" "-Xmx$heap" -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError
  # What it says of the archive, as of adapters that it cannot take from it, changes nothing.
  "-Xlog:aot*=error"
)
[ ! -e "$home/opensearch.aot" ] || options+=("-XX:AOTCache=$home/opensearch.aot")

# The runner adds the node's number, 1, to its base port. Of OpenSearch's modules only HTTP and transport run: analysers,
# scripts and the rest cost a quarter of the start, and nothing here asks for them.
# shellcheck disable=SC2086 # several options in one variable
exec java "${options[@]}" ${ELASTICSEARCH_JAVA_OPTS:-} -cp "$classpath" org.codelibs.opensearch.runner.OpenSearchRunner \
  -basePath "$base" -confPath "$base/config" -dataPath "$data" -logsPath "$base/logs" -numOfNode 1 \
  -moduleTypes org.opensearch.transport.Netty4Plugin \
  -baseHttpPort $((http - 1)) -clusterName "${ELASTICSEARCH_CLUSTER_NAME:-elastic}" -useLogger -printOnFailure
