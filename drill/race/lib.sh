# What both scripts share: marks for the drill's account, port-forwards, and the verifications that the procedure has
# done by looking. Sourced, not run.

# The beginning and the end of a step, and moments within, with the time: the drill reads them. Each on a line of its
# own: an answer printed before it may have ended without a line feed.
begin() { marked begin "$1"; }
end() { marked end "$1"; }
mark() { marked mark "$1"; }
marked() { printf '\n@%s %s %s\n' "$1" "$2" "$(date +%s.%N)"; }

look() { sleep 0.5; }

# Run a command with a port-forward to the surviving region's gateway, whose address is the command's last word.
# The procedure forwards to a port of that number; here any free one is taken, as others may use it.
through_gateway() {
  local port=$1 log forward address status=0
  shift
  log=$(mktemp)
  kubectl --context "$CLUSTER_SURVIVING" port-forward "services/$HELM_RELEASE_NAME-zeebe-gateway" ":$port" \
    -n "$CAMUNDA_NAMESPACE_SURVIVING" >"$log" 2>&1 &
  forward=$!
  until address=$(grep -m1 -o '127\.0\.0\.1:[0-9]*' "$log"); do
    kill -0 "$forward" 2>/dev/null || break
    sleep 0.05
  done
  if [ -n "$address" ]; then
    "$@" "$address" || status=$?
  else
    status=1
  fi
  kill "$forward" 2>/dev/null || true
  wait "$forward" 2>/dev/null || true
  rm -f "$log"
  return "$status"
}

# The topology, as `zbctl status` prints it: here by the gateway's REST API.
topology() { curl -sS --noproxy '*' --max-time 5 "http://$1/v1/topology"; }

# Wait until so many brokers of a namespace are in the topology, each with healthy partitions.
until_joined() {
  until [ "$(through_gateway 8080 topology 2>/dev/null | python3 -c '
import json, sys
try:
    found = json.load(sys.stdin)["brokers"]
except (ValueError, KeyError):
    found = []
healthy = lambda each: each["partitions"] and all(p["health"] == "healthy" for p in each["partitions"])
print(sum(".%s.svc" % sys.argv[1] in each["host"] and healthy(each) for each in found))
' "$1")" = "$2" ]; do look; done
}

# Wait until every partition has as many healthy replicas as it is to have.
until_whole() {
  until [ "$(through_gateway 8080 topology 2>/dev/null | python3 -c '
import collections, json, sys
try:
    found = json.load(sys.stdin)
    count = collections.Counter(p["partitionId"] for b in found["brokers"] for p in b["partitions"] if p["health"] == "healthy")
    whole = len(count) == found["partitionsCount"] and set(count.values()) == {found["replicationFactor"]}
except (ValueError, KeyError):
    whole = False
print(whole)
')" = True ]; do look; done
}

# Ask the gateway for exporting to be paused or resumed until it accepts: it refuses while a partition lacks a replica.
exporting() {
  until through_gateway 9600 order "$1" | tee /dev/stderr | grep -q 204; do look; done
}
order() { curl -sS -i --noproxy '*' --max-time 60 -XPOST "http://$2/actuator/exporting/$1"; }

# Commands to a search engine, within its pod.
engine_pod() {
  kubectl --context "$1" get pod --selector=app\.kubernetes\.io/name=elasticsearch \
    -o jsonpath='{.items[0].metadata.name}' -n "$2"
}
engine() {
  local context=$1 namespace=$2
  shift 2
  kubectl --context "$context" exec -n "$namespace" "$(engine_pod "$context" "$namespace")" -c elasticsearch -- \
    curl -sS --fail-with-body "$@"
}
