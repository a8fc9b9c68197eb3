#!/bin/sh
# Run assembled guests under Bochs, the other judge: it checks segment limits, which QEMU's TCG does
# not.  Text comes by port E9h: bochs.sh ROM...
t=$(mktemp -d)
bad=0
for rom; do
    cat > "$t/rc" <<X
megs: 32
cpu: model=${GUEST_CPU:-corei7_sandy_bridge_2600k}, ips=100000000, reset_on_triple_fault=0, ignore_bad_msrs=0
romimage: file=$rom
port_e9_hack: enabled=1
clock: sync=none
display_library: term
log: $t/log
panic: action=fatal
error: action=report
info: action=ignore
X
    echo c > "$t/c"
    TERM=linux timeout -s KILL ${GUEST_TIME:-4} setsid bochs -q -f "$t/rc" -rc "$t/c" > "$t/out" 2>&1 < /dev/null
    text=$(tr -d '\000' < "$t/out" | grep -a -o 'PASS\|FAIL [0-9a-f ]*' | head -1)
    echo "$(basename "$rom" .rom) bochs: $text"
    [ "$text" = PASS ] || { bad=1; [ -n "$V" ] && tail -5 "$t/log"; }
done
rm -r "$t"
exit $bad
