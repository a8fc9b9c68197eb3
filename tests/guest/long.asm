; Long mode: the ways in and out, delivery through 64-bit gates, IST, stacks, faults of delivery, IRET.
%include "common.inc"
%include "long.inc"
PROTECTED_MODE
LONG_MODE
    bits 32
%define EFER 0xc0000080
tests:
    TEST 1 ; LME without PAE: paging cannot be had
    call long_setup
    mov eax, PML4
    mov cr3, eax
    mov ecx, EFER
    rdmsr
    or eax, 0x100
    wrmsr
    mov dword [V_RESUME], .gp ; #GP(0); QEMU does nothing instead
    mov [V_RESP], esp
    mov dword [V_VEC], 13
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
.gp:
    cmp dword [V_VEC], 13
    FAILIF ne
    mov eax, cr0
    test eax, eax
    FAILIF s
    mov ecx, EFER
    rdmsr
    test eax, 0x400
    FAILIF nz

    TEST 2 ; in: compatibility mode first, LMA on, one-byte INC still there
    call long_enter
    mov ecx, EFER
    rdmsr
    and eax, 0x500
    EXPECT eax, 0x500
    xor eax, eax
    inc eax
    EXPECT eax, 1
    TO64
    call long_tables

    TEST 3 ; what long mode holds fast
    SKIP_IN L_QEMU, t4 ; lets all of it happen
    F64_BEGIN
    mov rax, cr4
    and al, 0xdf
    mov cr4, rax
    F64_END 13, 0
    F64_BEGIN
    mov rax, cr0
    btr eax, 31
    mov cr0, rax
    F64_END 13, 0
    F64_BEGIN
    mov ecx, EFER
    rdmsr
    and ah, 0xfe
    wrmsr
    F64_END 13, 0

t4:
    TEST 4 ; same level: the frame is five quadwords below an aligned stack
%macro SAME 1 ; stack pointer
    F64_BEGIN
    mov rsp, %1
    int 0x31
%%ret:
    F64_END 0x31
    EXPECTQ [L_RIP], %%ret
    EXPECTQ [L_CS], C64
    EXPECTQ [L_RSP], %1
    EXPECTQ [L_HRSP], ((%1) & ~15) - 48
    EXPECTQ [L_HCS], C64
%endmacro
    SAME STACK0 - 0x100
    SAME STACK0 - 0x108
    SAME STACK0 - 0x101
    SAME STACK0 - 0x10f
    EXPECTQ [L_SS], S_DATA
    EXPECTQ [L_HSS], S_DATA ; not touched
    F64_BEGIN ; with an error code
    mov rsp, STACK0 - 0x108
    mov ax, 0x1230
    mov ds, ax
    F64_END 13, 0x1230
    EXPECTQ [L_HRSP], STACK0 - 0x110 - 48
    xor eax, eax
    F64_BEGIN ; the upper halves of all
    mov rsp, HIGH + STACK0
    mov rax, HIGH + .high
    jmp rax
.high:
    ud2
    F64_END 6
    EXPECTQ [L_RIP], HIGH + .high
    EXPECTQ [L_RSP], HIGH + STACK0
    EXPECTQ [L_HRSP], HIGH + STACK0 - 48

    TEST 5 ; handler in the upper half, null SS
    GATE64 IDT64 + 0x31 * 16, C64, HIGH + t5_handler, 0x8e00
    xor eax, eax
    mov ss, eax
    int 0x31
    jmp fail64
t5_handler:
    lea rax, [rel t5_handler]
    mov rbx, HIGH + t5_handler
    EXPECTR rax, rbx
    EXPECTR qword [rsp + 32], 0
    mov eax, S_DATA
    mov ss, eax
    mov rax, .low
    jmp rax
.low:
    mov esp, STACK0

    TEST 6 ; flags: trap and interrupt gates
    GATE64 IDT64 + 0x31 * 16, C64, t6_handler, 0x8f00
    push 0x4202 ; NT is cleared by delivery, IF stays in a trap gate
    popfq
    int 0x31
t6_handler:
    pushfq
    pop rax
    and eax, 0x4200
    EXPECTR eax, 0x200
    EXPECTR qword [rsp + 16], 0x4202
    mov esp, STACK0
    push 2
    popfq
    mov byte [IDT64 + 0x31 * 16 + 5], 0x8e
    mov rax, t6_int
    mov [IDT64 + 0x31 * 16], ax
    push 0x4202
    popfq
    int 0x31
t6_int:
    pushfq
    pop rax
    and eax, 0x4200
    FAILIF64 nz
    mov esp, STACK0
    push 2
    popfq
    GATE64 IDT64 + 0x31 * 16, C64, stubs64 + 0x31 * STUB64_SIZE, 0x8e00

    TEST 7 ; from ring 3, 64-bit code: RSP0, SS null
    F64_BEGIN
    USER64 u_int30
    F64_END 0x30
    EXPECTQ [L_CS], U64
    EXPECTQ [L_SS], S_UDATA
    EXPECTQ [L_RSP], STACK3
    EXPECTQ [L_HSS], 0
    EXPECTQ [L_HRSP], RSP0 - 48
    F64_BEGIN
    USER64 u_priv
    F64_END 13, 0
    EXPECTQ [L_RIP], u_priv
    EXPECTQ [L_HRSP], RSP0 - 48
    F64_BEGIN
    USER64 u_int31
    F64_ENDX 13, 0x31 * 8 + 2

    TEST 8 ; compatibility mode, ring 3
    F64_BEGIN
    USER32 u32_int30
    F64_END 0x30
    EXPECTQ [L_RIP], u32_int30_end
    EXPECTQ [L_CS], S_UCODE
    EXPECTQ [L_RSP], STACK3 - 4
    EXPECTQ [L_RAX], 0x12345679
    EXPECTQ [L_HSS], 0
    F64_BEGIN
    USER32 u32_into
    F64_ENDX 13, 4 * 8 + 2 ; the gate is not for ring 3

    TEST 9 ; compatibility mode, ring 0: same stack, aligned
    F64_BEGIN
    TO32
    mov esp, STACK0 - 0x10c
    int 0x31
t9_ret:
    bits 64
    F64_END 0x31
    EXPECTQ [L_CS], S_CODE
    EXPECTQ [L_RSP], STACK0 - 0x10c
    EXPECTQ [L_HRSP], STACK0 - 0x110 - 48
    EXPECTQ [L_SS], S_DATA
    EXPECTQ [L_HSS], S_DATA
    EXPECTQ [L_HCS], C64
    EXPECTQ [L_RIP], t9_ret

    TEST 10 ; level 1: RSP1, SS = 1, and in from there
    GATE64 IDT64 + 0x32 * 16, C64_1, t10_handler, 0xee00
    F64_BEGIN
    USER64 u_int32
    F64_END 0x30
    EXPECTQ [L_CS], C64_1 + 1
    EXPECTQ [L_SS], 1
    EXPECTQ [L_RAX], 1 + (RSP1 - 40)
    EXPECTQ [L_HRSP], RSP0 - 48
    EXPECTQ [L_HSS], 0
    F64_BEGIN ; a conforming handler stays at 3
    GATE64 IDT64 + 0x32 * 16, CONF64, t10_conf, 0xee00
    USER64 u_int32
    F64_END 0x30
    EXPECTQ [L_CS], CONF64 + 3
    EXPECTQ [L_SS], S_UDATA
    EXPECTQ [L_RSP], STACK3 - 40
    jmp t11
    align 16
t10_handler:
    xor eax, eax
    mov ax, ss
    add rax, rsp
t10_conf:
    int 0x30

t11:
    TEST 11 ; IST: from both levels, the stack is fresh each time
    mov byte [IDT64 + 0x31 * 16 + 4], 1
    mov byte [IDT64 + 6 * 16 + 4], 2
    F64_BEGIN
    int 0x31
    F64_END 0x31
    EXPECTQ [L_HRSP], IST1 - 48
    EXPECTQ [L_SS], S_DATA
    SKIP_IN L_QEMU, .ss ; makes SS null, though the level does not change
    EXPECTQ [L_HSS], S_DATA
.ss:
    F64_BEGIN
    USER64 u_ud
    F64_END 6
    EXPECTQ [L_HRSP], IST2 - 48
    EXPECTQ [L_HSS], 0
    mov dword [TSS + 36], IST1 - 5 ; aligned down
    F64_BEGIN
    int 0x31
    F64_END 0x31
    EXPECTQ [L_HRSP], IST1 - 16 - 48
    mov dword [TSS + 36], IST1
    F64_BEGIN ; at level 0 the IST changes the stack, RSP0 does not
    TO32
    int 0x31
    bits 64
    F64_END 0x31
    EXPECTQ [L_HRSP], IST1 - 48
    mov byte [IDT64 + 0x31 * 16 + 4], 0
    mov byte [IDT64 + 6 * 16 + 4], 0

    TEST 12 ; gates that are none
    %assign type 0
    %rep 16
      %if type != 14 && type != 15
    mov byte [IDT64 + 0x31 * 16 + 5], 0x80 | type
    F64_BEGIN
    int 0x31
    F64_ENDX 13, 0x31 * 8 + 2
      %endif
      %assign type type + 1
    %endrep
    mov byte [IDT64 + 0x31 * 16 + 5], 0x9e ; S
    F64_BEGIN
    int 0x31
    F64_ENDX 13, 0x31 * 8 + 2
    mov byte [IDT64 + 0x31 * 16 + 5], 0x0e ; not present
    F64_BEGIN
t12:
    int 0x31
    F64_ENDX 11, 0x31 * 8 + 2
    EXPECTQ [L_RIP], t12
    mov byte [IDT64 + 6 * 16 + 5], 0x0e ; a fault: EXT
    F64_BEGIN
    ud2
    F64_ENDX 11, 6 * 8 + 3
    mov byte [IDT64 + 6 * 16 + 5], 0x85
    F64_BEGIN
    ud2
    F64_ENDX 13, 6 * 8 + 3
    mov byte [IDT64 + 6 * 16 + 5], 0x8e
    mov byte [IDT64 + 0x31 * 16 + 5], 0x8e
    mov word [L_TMP], 0x32 * 16 - 2 ; the limit cuts gate 31h
    mov qword [L_TMP + 2], IDT64
    lidt [L_TMP]
    F64_BEGIN
    int 0x31
    F64_ENDX 13, 0x31 * 8 + 2
    mov word [L_TMP], 0x32 * 16 - 1
    lidt [L_TMP]
    F64_BEGIN
    int 0x31
    F64_END 0x31
    lidt [idtr64]
    DESC GDT + T0, 0, 0xfffff, 0xa0fb ; code of level 3: outward

    TEST 13 ; code segments of gates
%macro BADCS 3 ; selector, vector, error
    mov word [IDT64 + 0x31 * 16 + 2], %1
    F64_BEGIN
    int 0x31
    F64_END %2, %3
    mov word [IDT64 + 6 * 16 + 2], %1
    F64_BEGIN
    ud2
    F64_ENDX %2, %3 | 1
%endmacro
    BADCS 0, 13, 0
    BADCS 3, 13, 0
    BADCS 0x2000, 13, 0x2000
    BADCS S_DATA, 13, S_DATA
    BADCS S_CODE, 13, S_CODE ; 32-bit code
    BADCS C_LD, 13, C_LD
    BADCS CNP, 11, CNP
    BADCS T0, 13, T0
    BADCS TSS64, 13, TSS64
    mov word [IDT64 + 0x31 * 16 + 2], C64 | 3 ; the RPL does not matter
    F64_BEGIN
    int 0x31
    F64_END 0x31
    EXPECTQ [L_HCS], C64
    mov word [IDT64 + 0x31 * 16 + 2], C64
    mov word [IDT64 + 6 * 16 + 2], C64

    TEST 14 ; a handler that is not canonical
    GATE64 IDT64 + 0x31 * 16, C64, NONCANON, 0x8e00
    F64_BEGIN
    int 0x31
    F64_END 13, 0
    GATE64 IDT64 + 6 * 16, C64, NONCANON, 0x8e00
    F64_BEGIN
    ud2
    F64_ENDX 13, 1
    GATE64 IDT64 + 0x31 * 16, C64, stubs64 + 0x31 * STUB64_SIZE, 0x8e00
    GATE64 IDT64 + 6 * 16, C64, stubs64 + 6 * STUB64_SIZE, 0x8e00

    TEST 15 ; stacks that are not canonical, too small a TSS, not there
    mov byte [IDT64 + 8 * 16 + 4], 1
    mov byte [IDT64 + 10 * 16 + 4], 1
    mov byte [IDT64 + 12 * 16 + 4], 1
    mov byte [IDT64 + 13 * 16 + 4], 1
    mov byte [IDT64 + 14 * 16 + 4], 1
    SKIP_IN L_QEMU, .wrap ; gives #GP for a stack that is not canonical
    F64_BEGIN
    mov rsp, NONCANON + 0x1000
    int 0x31
    F64_END 12, 0
    F64_BEGIN
    mov rsp, NONCANON + 0x1000
    ud2
    F64_ENDX 12, 1
.wrap:
    F64_BEGIN ; the frame wraps from 0 to the top: canonical, but not there
    mov rsp, 0x10
    int 0x31
    F64_END 14, 2
    EXPECTQ [L_HRSP], IST1 - 48
    mov rax, NONCANON + 0x1000
    mov [TSS + 4], rax
    SKIP_IN L_QEMU, .rsp0
    SKIP_IN L_BOCHS, .rsp0 ; gives the old SS as error code, not the null one that is coming
    F64_BEGIN
    USER64 u_int30
    F64_END 12, 0
    F64_BEGIN
    USER64 u_ud
    F64_ENDX 12, 1
.rsp0:
    mov rax, HIGH + 0x40001000 ; canonical, not mapped
    mov [TSS + 4], rax
    F64_BEGIN
    USER64 u_ud
    F64_END 14, 2
    EXPECTQ [L_CR2], HIGH + 0x40001000 - 8
    mov qword [TSS + 4], RSP0
    mov word [GDT + TSS64], 4 + 6 ; one byte too few for RSP0
    and byte [GDT + TSS64 + 5], 0xfd
    mov ax, TSS64
    ltr ax
    mov byte [IDT64 + 10 * 16 + 4], 0
    F64_BEGIN
    mov byte [IDT64 + 0x31 * 16 + 4], 3
    int 0x31
    F64_END 10, TSS64
    mov byte [IDT64 + 0x31 * 16 + 4], 0
    mov word [GDT + TSS64], 0x7ff
    and byte [GDT + TSS64 + 5], 0xfd
    mov ax, TSS64
    ltr ax

    TEST 16 ; double faults
    mov byte [IDT64 + 0 * 16 + 5], 0x0e
    F64_BEGIN
    xor edx, edx
    xor eax, eax
t16:
    div eax
    F64_END 8, 0
    EXPECTQ [L_RIP], t16
    mov byte [IDT64 + 0 * 16 + 5], 0x8e
    F64_BEGIN ; a page fault whose handler's stack is not there
    mov byte [IDT64 + 14 * 16 + 4], 2
    mov rax, HIGH + 0x40001000
    mov [TSS + 44], rax
t16b:
    mov rbx, HIGH + 0x50000000
    mov al, [rbx]
    F64_END 8, 0
    EXPECTQ [L_CR2], HIGH + 0x40001000 - 8
    mov qword [TSS + 44], IST2
    mov byte [IDT64 + 14 * 16 + 4], 0
    mov byte [IDT64 + 8 * 16 + 4], 0
    mov byte [IDT64 + 10 * 16 + 4], 0
    mov byte [IDT64 + 12 * 16 + 4], 0
    mov byte [IDT64 + 13 * 16 + 4], 0

%macro FRAME 5 ; SS RSP FLAGS CS RIP
    push %1
    push %2
    push %3
    push %4
    push %5
%endmacro
    TEST 17 ; IRETQ at one level: RSP and SS are popped, too
    FRAME 0, 0x8888, 2, C64, .null
    iretq
.null:
    mov eax, ss
    EXPECTR eax, 0
    EXPECTR rsp, 0x8888
    FRAME S_DATA, STACK0 - 0x40, 0x2 | 0x40, C64, .data
    iretq
.data:
    FAILIF64 nz
    mov eax, ss
    EXPECTR eax, S_DATA
    EXPECTR rsp, STACK0 - 0x40
%macro BADIRET 7 ; the frame, vector, error
    F64_BEGIN
    FRAME %1, %2, %3, %4, %5
%%i:
    iretq
    F64_END %6, %7
    EXPECTQ [L_RIP], %%i
%endmacro
    BADIRET S_UDATA, 0x8888, 2, C64, fail64, 13, S_UDATA & ~3
    BADIRET S_DATA | 3, 0x8888, 2, C64, fail64, 13, S_DATA
    BADIRET C64, 0x8888, 2, C64, fail64, 13, C64
    BADIRET 0x2000, 0x8888, 2, C64, fail64, 13, 0x2000
    SKIP_IN L_QEMU, .q
    BADIRET 0, 0x8888, 2, S_CODE, fail64, 13, 0       ; no null SS for 32-bit code
.q:
    BADIRET 3, STACK3, 2, U64, u_int30, 13, 0         ; nor for ring 3
    BADIRET S_UDATA & ~3, STACK3, 2, U64, u_int30, 13, S_UDATA & ~3
    BADIRET S_DATA, 0x8888, 2, 0, fail64, 13, 0
    SKIP_IN L_QEMU, .q2
    BADIRET S_DATA, 0x8888, 2, C_LD, fail64, 13, C_LD
.q2:
    BADIRET S_DATA, 0x8888, 2, CNP, fail64, 11, CNP
    BADIRET S_DATA, 0x8888, 2, S_DATA, fail64, 13, S_DATA
    BADIRET S_DATA, 0x8888, 2, TSS64, fail64, 13, TSS64
    BADIRET S_DATA, 0x8888, 2, U64 & ~3, fail64, 13, U64 & ~3
    SKIP_IN L_QEMU, .q3
    mov rbx, NONCANON
    BADIRET S_DATA, 0x8888, 2, C64, rbx, 13, 0
    BADIRET S_UDATA, STACK3, 2, U64, rbx, 13, 0
.q3:
    F64_BEGIN ; NT
    FRAME S_DATA, STACK0, 2, C64, fail64
    push 0x4002
    popfq
    iretq
    F64_END 13, 0
    mov rcx, NONCANON ; a stack pointer may be anything
    FRAME S_DATA, rcx, 2, C64, .sp
    iretq
.sp:
    EXPECTR rsp, rcx
    SKIP_IN L_QEMU, .q4
    F64_BEGIN
    iretq
    F64_END 12, 0
.q4:
    mov rsp, STACK0

    TEST 18 ; IRETD and IRETW in 64-bit code: five slots as well
    SKIP_IN L_BOCHS, t19 ; pops SS:RSP only with 64-bit operands
    sub rsp, 20
    mov dword [rsp], .d
    mov dword [rsp + 4], C64
    mov dword [rsp + 8], 0x2
    mov dword [rsp + 12], 0x8880
    mov dword [rsp + 16], S_DATA
    iretd
.d:
    EXPECTR rsp, 0x8880
    mov word [0x7c00], 0x25ff ; jmp [7c08h], where 16 bits of RIP reach
    mov dword [0x7c02], 0
    mov word [0x7c00], 0xe0ff ; jmp rax
    mov rax, .w
    sub rsp, 10
    mov word [rsp], 0x7c00
    mov word [rsp + 2], C64
    mov word [rsp + 4], 0x2
    mov word [rsp + 6], 0x8800
    mov word [rsp + 8], S_DATA
    o16 iret
.w:
    EXPECTR rsp, 0x8800
    mov rsp, STACK0

t19:
    TEST 19 ; to compatibility mode at the same level, and IRETD there: no stack popped
    FRAME S_DATA, STACK0 - 0x20, 2, S_CODE, .c
    iretq
    bits 32
.c:
    cmp esp, STACK0 - 0x20
    FAILIF ne
    mov dword [L_RESUME], t19_fault
    pushfd
    push S_CODE
    push .same
    iretd
.same:
    cmp esp, STACK0 - 0x20
    FAILIF ne
    push dword 0x4002
    popfd
    pushfd
    push S_CODE
    push fail
    iretd ; NT
    bits 64
t19_fault:
    EXPECTQ [L_VEC], 13
    EXPECTQ [L_ERR], 0
    mov qword [L_RESUME], unexpected64
    mov esp, STACK0
    TO32
    pushfd ; straight into 64-bit code
    push C64
    push t19_64
    iretd
    bits 64
t19_64:
    EXPECTR rsp, STACK0
    mov eax, ss
    EXPECTR eax, S_DATA

    TEST 20 ; compatibility mode to ring 3, both kinds
    F64_BEGIN
    TO32
    push S_UDATA
    push STACK3
    push 0x2
    push S_UCODE
    push u32_int30
    iretd
    bits 64
    F64_END 0x30
    EXPECTQ [L_CS], S_UCODE
    F64_BEGIN
    TO32
    push S_UDATA
    push STACK3 - 16
    push 0x2
    push U64
    push u_int30
    iretd
    bits 64
    F64_END 0x30
    EXPECTQ [L_CS], U64
    EXPECTQ [L_RSP], STACK3 - 16

    TEST 21 ; flags by IRETQ: VM does not come, RF goes, IOPL and IF by level
    FRAME S_DATA, STACK0, 0x27202, C64, .vm
    iretq
.vm:
    pushfq
    pop rax
    and eax, 0x27200
    EXPECTR eax, 0x7200 & ~0x4000 | 0x4000
    push 2
    popfq
    F64_BEGIN
    FRAME S_UDATA, STACK3, 2, U64, u_iret
    iretq
    F64_END 0x30
    EXPECTQ [L_RFL], 0x4046
    EXPECTQ [L_RSP], STACK3 - 0x80
    F64_BEGIN ; ring 3 cannot return inward
    FRAME S_UDATA, STACK3, 2, U64, u_iret0
    iretq
    F64_END 13, C64

    TEST 22 ; a return to ring 3 drops what it may not see, and leaves bases of null FS and GS alone
    mov eax, S_DATA
    mov ds, eax
    mov eax, S_UDATA
    mov es, eax
    xor eax, eax
    mov fs, eax
    mov gs, eax
    WRMSR64 0xc0000100, HIGH + 0x1234
    F64_BEGIN
    USER64 u_segs
    F64_END 0x30
    EXPECTQ [L_RAX], S_UDATA << 16
    mov ecx, 0xc0000100
    rdmsr
    EXPECTR eax, 0x1234
    mov eax, S_DATA
    mov ds, eax
    mov es, eax

    TEST 23 ; RF is pushed by faults
    SKIP_IN L_QEMU, t24
    F64_BEGIN
    ud2
    F64_END 6
    bt qword [L_RFL], 16
    FAILIF64 nc
    F64_BEGIN
    int3
    F64_END 3
    bt qword [L_RFL], 16
    FAILIF64 c
    F64_BEGIN
    db 0xf1 ; INT1
    F64_END 1

t24:
    TEST 24 ; what 64-bit mode has not
    %macro NOT64 1+
    F64_BEGIN
%%i:
    db %1
    F64_END 6
    EXPECTQ [L_RIP], %%i
    %endmacro
    NOT64 0x06
    NOT64 0x07
    NOT64 0x0e
    NOT64 0x16
    NOT64 0x17
    NOT64 0x1e
    NOT64 0x1f
    NOT64 0x27
    NOT64 0x2f
    NOT64 0x37
    NOT64 0x3f
    NOT64 0x60
    NOT64 0x61
    NOT64 0x82, 0xc0, 0
    NOT64 0x9a, 0, 0, 0, 0, 8, 0
    NOT64 0xea, 0, 0, 0, 0, 8, 0
    NOT64 0xce
    NOT64 0xd4, 10
    NOT64 0xd5, 10
    NOT64 0xd6

    TEST 30 ; out: to compatibility mode, paging off, LMA goes, real mode, and back in one step
    TO32
    mov eax, S_DATA
    mov ds, eax
    mov es, eax
    mov fs, eax
    mov gs, eax
    mov ss, eax
    mov eax, cr0
    btr eax, 31
    mov cr0, eax
    jmp .off
.off:
    mov ecx, EFER
    rdmsr
    and eax, 0x500
    EXPECT eax, 0x100
    mov eax, cr0 ; on and off once more
    bts eax, 31
    mov cr0, eax
    jmp .on
.on:
    TO64
    mov rax, HIGH + S_DATA
    TO32
    mov eax, cr0
    btr eax, 31
    mov cr0, eax
    lidt [idtr]
    jmp S_CODE16:OFS(t30_16)
    bits 16
t30_16:
    mov ax, S_DATA16
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov eax, cr0
    and al, 0xfe
    mov cr0, eax
    jmp 0xf000:OFS(t30_real)
t30_real:
    xor ax, ax
    mov ds, ax
    mov ss, ax
    mov sp, 0x7000
    mov dword [V_TEST], 31
    mov ecx, EFER
    rdmsr
    test ah, 5
    jz fail16 ; LME stays
    mov eax, cr0 ; PE and PG at once, with LME and PAE
    or eax, 0x80000001
    mov cr0, eax
    jmp dword C64:t31
    bits 64
t31:
    mov ecx, EFER
    rdmsr
    and eax, 0x500
    EXPECTR eax, 0x500
    mov eax, S_DATA
    mov ss, eax
    mov ds, eax
    mov esp, STACK0
    call long_tables
    F64_BEGIN
    USER64 u_int30
    F64_END 0x30

    TEST 32 ; paging without PAE and 32-bit PAE paging from here are other guests' (paging.asm)
    jmp pass64

u_priv:
    hlt
u_int31:
    int 0x31
u_int32:
    int 0x32
u_ud:
    ud2
u_iret:
    mov rax, rsp
    sub rax, 0x80
    FRAME S_UDATA, rax, 0x7246, U64, .back ; IF and IOPL do not come
    iretq
.back:
    int 0x30
u_iret0:
    FRAME 0, rsp, 2, C64, fail64
    iretq
u_segs:
    mov eax, es
    shl eax, 16
    mov ax, ds
    int 0x30
    bits 32
u32_int30:
    mov eax, 0x12345678
    inc eax
    push eax
    int 0x30
u32_int30_end:
u32_into:
    mov al, 0x7f
    inc al
    into
ROM_END
