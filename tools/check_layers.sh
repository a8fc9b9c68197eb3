#!/bin/bash
# Who may include whom (README, "The house"); devices hold no host I/O; every header has #pragma once.
cd "$(dirname "$0")/.." || exit 1
rc=0
allowed() {
    case $1 in
    base) echo base ;;
    mem) echo base mem ;;
    cpu) echo base mem cpu ;;
    devices) echo base mem devices ;;
    machine) echo base mem cpu devices machine ;;
    frontend) echo base machine frontend ;;
    esac
}
for d in base mem cpu devices machine frontend; do
    for f in $(find $d -name '*.[ch]'); do
        for inc in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$f"); do
            case " $(allowed $d) " in
            *" $inc "*) ;;
            *) echo "$f: may not include $inc/"; rc=1 ;;
            esac
        done
        if grep -qE '^#include "[^/]*"' "$f"; then echo "$f: includes are written from the root"; rc=1; fi
        case $f in *.h) grep -q '^#pragma once' "$f" || { echo "$f: no #pragma once"; rc=1; } ;; esac
    done
done
if grep -nE '^#include <(stdio|time|unistd|pthread|sys/[a-z]+)\.h>' $(find devices -name '*.[ch]'); then
    echo "devices/ may not use the host"; rc=1
fi
if grep -nE '^#include <(time|unistd|pthread)\.h>|\bclock_gettime\b|\brand\(' $(find cpu mem -name '*.[ch]' ! -path 'cpu/kvm/*'); then
    echo "cpu/ and mem/ may not read host time"; rc=1
fi
exit $rc
