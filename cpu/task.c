/* Hardware task switches.  SDM Vol. 3A, "Task Management".
 * NOT IMPLEMENTED: all of it yet; a task gate or TSS gives #GP(selector). */
#include "base/log.h"
#include "cpu/protect.h"

bool task_switch(struct cpu *c, uint16_t sel, struct desc *d, enum task_why why, uint64_t ret_rip,
                 bool push_error, uint32_t error, uint64_t *rip)
{
    (void)why, (void)ret_rip, (void)push_error, (void)error, (void)rip;
    log_msg(LOG_UNIMP, "cpu0", "task switch to %04x", sel);
    return seg_fault(c, EXC_GP, sel, WHY_TSS_BAD, d->at);
}
