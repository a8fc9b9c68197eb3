/* The plain PC chips on the bench: cases for the contract and the fuzz targets, and the wiring that
 * their own tests use.  Pins are those of enum rig_chip_pins. */
#pragma once
#include "devices/char/debug_exit.h"
#include "devices/char/debugcon.h"
#include "devices/char/parallel.h"
#include "devices/char/uart16550.h"
#include "devices/input/i8042.h"
#include "devices/input/ps2kbd.h"
#include "devices/input/ps2mouse.h"
#include "devices/irqchip/i8259.h"
#include "devices/port92.h"
#include "devices/timer/i8254.h"
#include "devices/timer/mc146818.h"
#include "devices/timer/port61.h"
#include "tests/common/contract.h"

enum rig_chip_pins { PIN_IRQ, PIN_IRQ12, PIN_A20, PIN_RESET };

struct pic_bench {
    struct i8259 master, slave; /* regions: master, slave, master elcr, slave elcr */
};
struct pit_bench {
    struct i8254 pit; /* regions: pit, port 61h */
    struct port61 port61;
};
struct kbc_bench {
    struct i8042 kbc; /* regions: data, command */
    struct ps2kbd kbd;
    struct ps2mouse mouse;
};
struct exit_bench {
    struct debug_exit chip;
    int status;
    unsigned calls;
};

extern const struct contract_case case_i8259, case_i8254, case_mc146818, case_uart16550,
    case_parallel, case_debugcon, case_debug_exit, case_i8042, case_ps2kbd, case_ps2mouse,
    case_port92;
#define RTC_TEST_EPOCH 951782397ull /* 2000-02-28 23:59:57 UTC */
