/* tests/guest/NAME.asm, one line each */
GUEST(protect)
GUEST(gates)
GUEST(paging)
GUEST(except)
