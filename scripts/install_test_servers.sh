#!/bin/sh
# Install the servers that tests start themselves (MariaDB), on Debian and Ubuntu as root. Does nothing when they
# are there. Where they cannot be installed the tests that need them are skipped; in CI that is a failure.
set -eu
unless_ci() {
    if [ -n "${CI:-}" ]; then exit 1; fi
    exit 0
}
PATH=$PATH:/usr/sbin:/sbin
command -v mariadbd > /dev/null && exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "no mariadbd here: have the package mariadb-server installed to run the tests of MariaDB" >&2
    unless_ci
fi

# dpkg starts a service after installing it unless this says no; what stood here before comes back.
policy=/usr/sbin/policy-rc.d
kept=$(mktemp -d)
if [ -e "$policy" ]; then mv "$policy" "$kept/"; fi
restore() {
    rm -f "$policy"
    if [ -e "$kept/policy-rc.d" ]; then mv "$kept/policy-rc.d" "$policy"; fi
    rmdir "$kept"
}
trap restore EXIT
trap 'exit 1' INT TERM
printf '#!/bin/sh\nexit 101\n' > "$policy"
chmod 755 "$policy"

export DEBIAN_FRONTEND=noninteractive
echo "installing mariadb-server …"
wait="-o DPkg::Lock::Timeout=300"
if ! { apt-get -q=2 $wait update && apt-get -q=2 $wait install -y --no-install-recommends mariadb-server > /dev/null; }; then
    echo "mariadb-server could not be installed: the tests of MariaDB will be skipped" >&2
    unless_ci
fi
# Neither now nor after a restart of the machine: the tests start one of their own.
if [ -d /run/systemd/system ]; then systemctl --quiet disable mariadb.service; fi
