#!/usr/bin/env bash
# Installs from Debian what a purpose needs and this machine lacks, saying so: tools/install.sh run|test|long
set -euo pipefail

purpose=${1:?usage: tools/install.sh run|test|long}

build=(g++ cmake ninja-build ccache lld pkg-config python3 libboost1.81-dev libfmt-dev libspdlog-dev
  libssl-dev zlib1g-dev libzstd-dev liblz4-dev libsnappy-dev librocksdb-dev librdkafka-dev libsimdjson-dev libcli11-dev)
long=(clang-19 libclang-rt-19-dev clang-tidy-19)
tests=(clang-format libgtest-dev libbenchmark-dev kcat chromium chromium-driver ca-certificates curl git)

packages=("${build[@]}")
[ "$purpose" = run ] || packages+=("${tests[@]}")
[ "$purpose" != long ] || packages+=("${long[@]}")
# Programs that may be there from elsewhere are only installed when they are missing.
command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)
if [ "$purpose" != run ]; then
  command -v java >/dev/null || packages+=(openjdk-17-jdk-headless)
  command -v mvn >/dev/null || packages+=(maven)
fi

installed=" $(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' 2>/dev/null | sed -n 's/^ii *//p' | tr '\n' ' ')"
missing=()
for package in "${packages[@]}"; do
  case "$installed" in *" $package "*) ;; *) missing+=("$package") ;; esac
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "== Installing from Debian: ${missing[*]}"
sudo=""
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "Installing packages needs root or sudo. Install these and run again: ${missing[*]}" >&2; exit 1; }
  sudo=sudo
fi
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
