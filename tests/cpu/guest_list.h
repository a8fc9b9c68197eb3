/* tests/guest/NAME.asm, one line each */
GUEST(protect)
GUEST(gates)
GUEST(paging)
GUEST(except)
GUEST(task)
GUEST(v86)
GUEST(debug)
GUEST(real)
