#!/bin/sh
# Each night: a copy of both states, then every check. Prints what is wrong, and ends with another status than 0 then.
set -u
PROJECT=${DUALREGION_PROJECT:-/srv/dual-region}
COPIES=${DUALREGION_COPIES:-/srv/copies}
METRICS=${DUALREGION_METRICS:-/var/lib/node_exporter}

cd "$PROJECT" || exit 13
# The settings as they are in version control, if this is a checkout.
if [ -d .git ]; then git pull --quiet --ff-only || exit 13; fi
for stack in region0 region1; do
  pulumi stack export --stack "$stack" --file "$COPIES/$stack.json.new" || exit 1
  mv "$COPIES/$stack.json.new" "$COPIES/$stack.json"
done
dualregion preflight --prometheus "$METRICS/dualregion-preflight.prom"
