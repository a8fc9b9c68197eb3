/* Every plain PC chip keeps the contract of all devices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/rig/apic_bench.h"
#include "tests/rig/chips.h"

#define KEEPS(chip)                                                                                \
    static void chip##_keeps_the_contract(void **state)                                            \
    {                                                                                              \
        (void)state;                                                                               \
        contract_check(&case_##chip);                                                              \
    }
KEEPS(i8259)
KEEPS(i8254)
KEEPS(lapic)
KEEPS(i82093aa)
KEEPS(hpet)
KEEPS(mc146818)
KEEPS(uart16550)
KEEPS(debugcon)
KEEPS(debug_exit)
KEEPS(port92)
KEEPS(i8042)
KEEPS(ps2kbd)
KEEPS(ps2mouse)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(i8259_keeps_the_contract),
        cmocka_unit_test(i8254_keeps_the_contract),
        cmocka_unit_test(lapic_keeps_the_contract),
        cmocka_unit_test(i82093aa_keeps_the_contract),
        cmocka_unit_test(hpet_keeps_the_contract),
        cmocka_unit_test(mc146818_keeps_the_contract),
        cmocka_unit_test(uart16550_keeps_the_contract),
        cmocka_unit_test(debugcon_keeps_the_contract),
        cmocka_unit_test(debug_exit_keeps_the_contract),
        cmocka_unit_test(port92_keeps_the_contract),
        cmocka_unit_test(i8042_keeps_the_contract),
        cmocka_unit_test(ps2kbd_keeps_the_contract),
        cmocka_unit_test(ps2mouse_keeps_the_contract),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
