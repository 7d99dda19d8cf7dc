#!/bin/sh
# In the place of Grafana, whose image cannot be had on the test machines: ends with an error where docker-compose.yml does not give it what
# Grafana needs, answers the health check otherwise.
set -eu
fail() { echo "grafana: $*" >&2; exit 1; }

password="$GF_SECURITY_ADMIN_PASSWORD__FILE"
[ -r "$password" ] || fail "cannot read $password"
[ "$(wc -c < "$password")" -ge 24 ] || fail "the password is too short"
[ "$GF_AUTH_ANONYMOUS_ENABLED" = false ] || fail "anonymous access is on"
[ -r "$GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH" ] || fail "no home dashboard at $GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"
for kind in datasources dashboards; do
  [ -r "/etc/grafana/provisioning/$kind/keelson.yaml" ] || fail "no provisioning of $kind"
done
touch /var/lib/grafana/.writable || fail "cannot write to its volume"
rm /var/lib/grafana/.writable

mkdir -p /tmp/www/api
echo '{"database":"ok"}' > /tmp/www/api/health
exec httpd -f -p 3000 -h /tmp/www
