#!/bin/sh
# Run assembled guests under QEMU, the judge of the tests themselves: qemu.sh tcg|kvm ROM...
# GUEST_SMP: processors (4 for smp.rom).
accel=$1
shift
bad=0
for rom; do
    sys=${GUEST_ARCH:-i386} cpu=max,-arch-capabilities
    case $(basename "$rom") in
    long* | *64*) sys=x86_64 cpu=max,vendor=GenuineIntel ;;
    esac
    text=$(timeout -s KILL 20 qemu-system-$sys -nodefaults -display none -m 32 -machine pc,accel=$accel \
        -smp ${GUEST_SMP:-1},sockets=${GUEST_SMP:-1} -cpu ${GUEST_CPU:-$cpu} -bios "$rom" -no-reboot \
        -chardev stdio,id=d -device isa-debugcon,iobase=0x402,chardev=d \
        -device isa-debug-exit,iobase=0x501,iosize=2 < /dev/null)
    rc=$?
    echo "$(basename "$rom" .rom) $accel: $text (status $rc)"
    [ $rc = 1 ] || bad=1
done
exit $bad
