#!/bin/bash
# Fuzz a target for a while and tell how much of its device the found inputs reach.
#   tools/fuzz_coverage.sh TARGET SECONDS [FILE...]
# TARGET: fuzz_uart16550 or uart16550.  FILEs: what to report; by default the device's own.
# SECONDS 0 only replays what earlier runs found (build/corpus/TARGET, shared with ./check).
# Prints one row for docs/testing.md and a line a file; lines never reached: build/cov/TARGET.txt.
# The build (preset coverage) has ASan and UBSan too: a crash ends the run with status 1.
set -eu
cd "$(dirname "$(readlink -f "$0")")/.."
. scripts/lib.sh
[ $# -ge 2 ] || { say "usage: tools/fuzz_coverage.sh TARGET SECONDS [FILE...]"; exit 1; }
target=fuzz_${1#fuzz_} name=${1#fuzz_} secs=$2
shift 2
[ -f "tests/fuzz/$target.c" ] || { say "There is no tests/fuzz/$target.c. There are: $(
    cd tests/fuzz && echo fuzz_*.c | sed 's/\.c//g')"; exit 1; }
need_packages clang-14 libclang-rt-14-dev llvm-14
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
    case $name in # a target whose name is not its file's
    chipset) files=(devices/pci/*.c devices/timer/acpi_pm.c) ;;
    decode) files=(cpu/decode.c) ;;
    engine) files=(cpu/*.c cpu/interp/*.c cpu/fp/*.c) ;;
    fdc) files=(devices/storage/fdc*.c) ;;
    ne2k_*) files=(devices/net/dp8390.c devices/net/ne2k.c "devices/net/$name.c") ;;
    i8254) files=(devices/timer/i8254.c devices/timer/port61.c) ;;
    ioapic) files=(devices/irqchip/i82093aa.c devices/irqchip/apic_bus.c) ;;
    lapic) files=(devices/irqchip/lapic.c devices/irqchip/apic_bus.c) ;;
    piix_ide) files=(devices/storage/{piix_ide,bmdma,ide,ata,ata_*,atapi,atapi_*}.c) ;;
    ps2kbd) files=(devices/input/ps2kbd.c devices/input/ps2codes.c) ;;
    vga) files=(devices/video/*.c) ;;
    *) mapfile -t files < <(find base mem cpu devices machine frontend -name "$name.c" -o -name "${name}_*.c" | sort) ;;
    esac
    [ -f "${files[0]-}" ] || { say "Which files does $target test? Name them after the seconds."; exit 1; }
fi
b=build/cov corpus=build/corpus/$target log=build/cov/$target.log
mkdir -p "$b" "$corpus"
{ [ -f $b/build.ninja ] || cmake --preset coverage; nice ninja -C $b "$target"; } >"$b/build.log" 2>&1 ||
    { tail -n 40 "$b/build.log" >&2; say "Building failed; the whole log is $b/build.log"; exit 1; }
status=0 executions=0
seeds=()
[ -d "tests/fuzz/corpus/$target" ] && seeds=("tests/fuzz/corpus/$target")
if [ "$secs" -gt 0 ]; then
    LLVM_PROFILE_FILE=/dev/null nice "$b/tests/$target" -max_total_time="$secs" -rss_limit_mb=2048 -timeout=20 \
        -print_final_stats=1 -artifact_prefix="$b/$target-" "$corpus" "${seeds[@]}" >"$log" 2>&1 || status=1
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ $status -eq 0 ] || { tail -n 40 "$log" >&2; say "$target failed; the whole log is $log"; }
fi
# The inputs that found something new are kept: one more run of each tells what was reached, also
# after a crash, when the fuzzer itself can no longer write its counters.
LLVM_PROFILE_FILE="$b/$target.profraw" "$b/tests/$target" -runs=0 -timeout=60 "$corpus" "${seeds[@]}" \
    >"$b/$target.replay.log" 2>&1 || { tail -n 20 "$b/$target.replay.log" >&2; status=1; }
llvm-profdata-14 merge -sparse "$b/$target.profraw" -o "$b/$target.profdata"
llvm-cov-14 report "$b/tests/$target" -instr-profile="$b/$target.profdata" "${files[@]}" >"$b/$target.report"
llvm-cov-14 show "$b/tests/$target" -instr-profile="$b/$target.profdata" "${files[@]}" |
    grep -E '^[^ |]*:$|^ *[0-9]+\| +0\|' >"$b/$target.txt" || true
awk -v root="$PWD/" -v t="$target" -v s="$secs" -v n="${executions:-?}" '
    { sub(root, "", $1) }
    NF >= 10 && $10 ~ /%$/ && $1 != "TOTAL" { f[++k] = sprintf("    %-32s %5d of %5d lines  %s", $1, $8 - $9, $8, $10) }
    $1 == "TOTAL" { total = $10 }
    END {
        printf "| %s | %s | %s | %s |\n", t, s, n, total
        for (i = 1; i <= k; i++) print f[i]
    }' "$b/$target.report"
exit $status
