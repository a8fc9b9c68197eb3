/* tests/guest/NAME.asm, one line each, but for those that need a board (apic): the boot case
 * self_checking runs them all */
GUEST(protect)
GUEST(gates)
GUEST(paging)
GUEST(except)
GUEST(task)
GUEST(v86)
GUEST(debug)
GUEST(real)
GUEST64(long)
GUEST64(paging64)
GUEST64(sysregs64)
GUEST64(longsys)
