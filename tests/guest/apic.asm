; Local APIC and I/O APIC on a whole board: registers, self IPIs and priorities, the timer, the 8254
; through the I/O APIC by edge and by level with EOI, the 8259A in virtual wire mode.
; Vectors are below 64 because common.inc has that many stubs; interrupts arrive here by `handler`,
; which notes the vector in V_VEC and goes on at V_RESUME with interrupts off.
%include "common.inc"
PROTECTED_MODE
    bits 32
LAPIC equ 0xfee00000
IOAPIC equ 0xfec00000
%macro APIC 2 ; register, value
    mov dword [LAPIC + %1], %2
%endmacro
%macro IOW 2 ; register, value
    mov dword [IOAPIC], %1
    mov dword [IOAPIC + 0x10], %2
%endmacro
; An interrupt must come now, with this vector; EOI is not sent.
%macro EXPECT_IRQ 1
    FAULT_BEGIN
    sti
    nop
    nop
    nop
    cli
    FAULT_END %1
%endmacro
; None may come.
%macro EXPECT_NONE 0
    mov dword [V_VEC], -1
    sti
    nop
    nop
    nop
    cli
    EXPECT dword [V_VEC], -1
%endmacro
; Wait for an interrupt.
%macro WAIT_IRQ 1
    FAULT_BEGIN
    sti
%%wait:
    hlt
    jmp %%wait
    FAULT_END %1
%endmacro
%macro SELF_IPI 1
    APIC 0x300, 0x44000 | %1
%endmacro
%macro EOI 0
    APIC 0xb0, 0
%endmacro

tests:
    TEST 1 ; CPUID, IA32_APIC_BASE
    mov eax, 1
    cpuid
    test edx, 1 << 9
    FAILIF z
    shr ebx, 24
    EXPECT ebx, 0
    mov ecx, 0x1b
    rdmsr
    EXPECT eax, 0xfee00900
    EXPECT dword [LAPIC + 0x20], 0
    mov eax, [LAPIC + 0x30]
    and eax, 0xff
    EXPECT eax, 0x14

    ; both 8259A: vectors 20h and 28h, all masked
    mov al, 0x11
    out 0x20, al
    out 0xa0, al
    mov al, 0x20
    out 0x21, al
    mov al, 0x28
    out 0xa1, al
    mov al, 4
    out 0x21, al
    mov al, 2
    out 0xa1, al
    mov al, 1
    out 0x21, al
    out 0xa1, al
    mov al, 0xff
    out 0x21, al
    out 0xa1, al

    TEST 2 ; enabling; all of the LVT masked
    APIC 0xf0, 0x13f
    APIC 0x320, 0x10000
    APIC 0x350, 0x10700
    APIC 0x360, 0x10400
    APIC 0x370, 0x10000
    APIC 0x80, 0
    EXPECT dword [LAPIC + 0xa0], 0
    EXPECT_NONE

    TEST 3 ; self IPI: IRR, ISR, EOI
    SELF_IPI 0x31
    EXPECT dword [LAPIC + 0x210], 1 << 0x11
    EXPECT dword [LAPIC + 0x110], 0
    EXPECT_IRQ 0x31
    EXPECT dword [LAPIC + 0x210], 0
    EXPECT dword [LAPIC + 0x110], 1 << 0x11
    EXPECT dword [LAPIC + 0xa0], 0x30
    EOI
    EXPECT dword [LAPIC + 0x110], 0
    EXPECT dword [LAPIC + 0xa0], 0
    ; by physical destination, and by logical
    APIC 0x310, 0
    APIC 0x300, 0x4032
    EXPECT_IRQ 0x32
    EOI
    APIC 0xe0, 0xffffffff
    APIC 0xd0, 0x01000000
    APIC 0x310, 0x01000000
    APIC 0x300, 0x4833
    EXPECT_IRQ 0x33
    EOI
    APIC 0x310, 0x02000000 ; somebody else
    APIC 0x300, 0x4833
    EXPECT_NONE

    TEST 4 ; priorities: the higher class first, the same class waits
    SELF_IPI 0x24
    SELF_IPI 0x35
    SELF_IPI 0x36
    EXPECT_IRQ 0x36
    EXPECT_NONE
    EOI
    EXPECT_IRQ 0x35
    EXPECT_NONE
    EOI
    EXPECT_IRQ 0x24
    SELF_IPI 0x37 ; interrupts the lower one
    EXPECT_IRQ 0x37
    EXPECT dword [LAPIC + 0xa0], 0x30
    EOI
    EXPECT dword [LAPIC + 0xa0], 0x20
    EOI
    EXPECT dword [LAPIC + 0xa0], 0

    TEST 5 ; TPR
    APIC 0x80, 0x30
    SELF_IPI 0x38
    EXPECT_NONE
    APIC 0x80, 0x2f
    EXPECT_IRQ 0x38
    EOI
    APIC 0x80, 0

    TEST 6 ; the timer, one-shot: it comes once and stands at 0
    APIC 0x3e0, 3 ; by 16
    APIC 0x320, 0x39
    APIC 0x380, 5000
    mov eax, [LAPIC + 0x390]
    cmp eax, 5000
    FAILIF a
    WAIT_IRQ 0x39
    EXPECT dword [LAPIC + 0x390], 0
    EXPECT dword [LAPIC + 0x380], 5000
    EOI
    mov ecx, 100000
.idle:
    loop .idle
    EXPECT_NONE

    TEST 7 ; periodic: again and again; initial count 0 stops it
    APIC 0x320, 0x2003a
    APIC 0x380, 10000
    mov esi, 5
.tick:
    WAIT_IRQ 0x3a
    EOI
    dec esi
    jnz .tick
    APIC 0x380, 0
    APIC 0x320, 0x10000
    EXPECT dword [LAPIC + 0x390], 0
    cmp dword [LAPIC + 0x210], 0 ; one may have come since
    je .none
    EXPECT_IRQ 0x3a
    EOI
.none:
    EXPECT_NONE

    TEST 8 ; masked: counts without an interrupt
    APIC 0x320, 0x1003a
    APIC 0x380, 1000
.run:
    cmp dword [LAPIC + 0x390], 0
    jne .run
    EXPECT_NONE

    TEST 9 ; I/O APIC: version, entries
    mov dword [IOAPIC], 1
    mov eax, [IOAPIC + 0x10]
    shr eax, 16
    and eax, 0xff
    EXPECT eax, 23
    IOW 0x20, 0x1a8ff
    EXPECT dword [IOAPIC + 0x10], 0x1a8ff
    IOW 0x20, 0x10000

    TEST 10 ; the 8254 on pin 2, edge
    IOW 0x15, 0
    IOW 0x14, 0x3b
    mov al, 0x34 ; channel 0, mode 2, 2 ms
    out 0x43, al
    mov al, 0x52
    out 0x40, al
    mov al, 0x09
    out 0x40, al
    mov esi, 3
.pit:
    WAIT_IRQ 0x3b
    EXPECT dword [LAPIC + 0x190], 0 ; TMR: edge
    EOI
    dec esi
    jnz .pit
    IOW 0x14, 0x1003b ; masked: silence for 3 periods
    APIC 0x320, 0x1003a
    APIC 0x3e0, 3
    APIC 0x380, 400000 ; 6.4 ms of the 1 GHz clock
.quiet:
    cmp dword [LAPIC + 0x390], 0
    jne .quiet
    cmp dword [LAPIC + 0x210], 0 ; one may have been on its way
    je .masked
    EXPECT_IRQ 0x3b
    EOI
.masked:
    EXPECT_NONE

    TEST 11 ; level: remote IRR until EOI, and again while the wire is high
    ; mode 0 with a count of 1: OUT rises and stays
    mov al, 0x30
    out 0x43, al
    mov al, 100
    out 0x40, al
    xor al, al
    out 0x40, al
    IOW 0x14, 0x803c
    WAIT_IRQ 0x3c
    EXPECT dword [LAPIC + 0x190], 1 << 0x1c ; TMR: level
    mov dword [IOAPIC], 0x14
    EXPECT dword [IOAPIC + 0x10], 0xc03c
    EXPECT_NONE ; in service
    EOI
    EXPECT_IRQ 0x3c
    mov al, 0x30 ; OUT falls, for 55 ms
    out 0x43, al
    mov al, 0xff
    out 0x40, al
    out 0x40, al
    EOI
    EXPECT_NONE
    mov dword [IOAPIC], 0x14
    EXPECT dword [IOAPIC + 0x10], 0x803c
    IOW 0x14, 0x10000

    TEST 12 ; virtual wire: LINT0 as ExtINT, the vector is the 8259A's
    APIC 0x350, 0x700
    mov al, 0xfe
    out 0x21, al
    mov al, 0x34
    out 0x43, al
    mov al, 0x52
    out 0x40, al
    mov al, 0x09
    out 0x40, al
    mov esi, 2
.wire:
    WAIT_IRQ 0x20
    EXPECT dword [LAPIC + 0x110], 0 ; the local APIC has nothing in service
    mov al, 0x20
    out 0x20, al
    dec esi
    jnz .wire
    APIC 0x350, 0x10700 ; masked
    APIC 0x3e0, 3
    APIC 0x380, 400000
.wait:
    cmp dword [LAPIC + 0x390], 0
    jne .wait
    EXPECT_NONE
    mov al, 0xff
    out 0x21, al

    TEST 13 ; an NMI to itself
    FAULT_BEGIN
    APIC 0x310, 0
    APIC 0x300, 0x4400
    nop
    FAULT_END 2

    TEST 14 ; software disabled: what is pending waits, fixed IPIs are not taken
    SELF_IPI 0x31
    APIC 0xf0, 0x3f
    EXPECT_NONE
    APIC 0xf0, 0x13f
    EXPECT_IRQ 0x31
    EOI
    jmp pass
ROM_END
