#!/usr/bin/env bash
# Puts Debian's prometheus and promtool into build/prometheus, for tests; nothing is installed and no service begins.
set -euo pipefail
cd "$(dirname "$0")/.."
to=build/prometheus
[ ! -x $to/promtool ] || exit 0
echo "== Fetching Prometheus from Debian"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sudo=""
[ "$(id -u)" -eq 0 ] || sudo=sudo
fetch() { (cd "$work" && apt-get download -qq prometheus 2>/dev/null); }
fetch || { $sudo apt-get update -qq; fetch; }
dpkg-deb --fsys-tarfile "$work"/prometheus_*.deb | tar -x -C "$work" ./usr/bin/prometheus ./usr/bin/promtool
mkdir -p $to
mv "$work"/usr/bin/prometheus "$work"/usr/bin/promtool $to/
