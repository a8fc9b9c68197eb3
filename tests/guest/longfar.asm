; Long mode: far transfers, call gates, 16-byte descriptors, segment loads, addresses that are not
; canonical, single-step.
%include "common.inc"
%include "long.inc"
PROTECTED_MODE
LONG_MODE
%define FSBASE 0xc0000100
%macro FARPTR 2 ; selector, offset: m16:32 at L_TMP
    mov dword [L_TMP], %2
    mov word [L_TMP + 4], %1
%endmacro
%macro BADFAR 3 ; selector, vector, error, by JMP and CALL
    FARPTR %1, fail64
    F64_BEGIN
    jmp dword far [L_TMP]
    F64_END %2, %3
    F64_BEGIN
    call dword far [L_TMP]
    F64_END %2, %3
%endmacro
    bits 32
tests:
    call long_setup
    call long_enter
    TO64
    call long_tables

    TEST 1 ; far JMP and CALL: operand sizes, what is pushed, returns
    FARPTR C64, .j
    jmp dword far [L_TMP]
.j:
    FARPTR C64, .c
    mov rbx, rsp
    call dword far [L_TMP]
.after:
    EXPECTR rsp, rbx
    jmp .c2
.c:
    lea rax, [rsp + 8]
    EXPECTR rax, rbx
    EXPECTR dword [rsp], .after
    EXPECTR dword [rsp + 4], C64
    retf
.c2:
    push C64
    push .r
    o64 retf
.r:
    EXPECTR rsp, rbx
    cmp byte [L_AMD], 0
    jne t2 ; no m16:64
    mov rax, HIGH + .h
    mov [L_TMP], rax
    mov word [L_TMP + 8], C64
    call qword far [L_TMP]
.ret64:
    EXPECTR rsp, rbx
    jmp .bad
.h:
    lea rax, [rel .h]
    mov rcx, HIGH + .h
    EXPECTR rax, rcx
    EXPECTR qword [rsp], .ret64
    EXPECTR qword [rsp + 8], C64
    o64 retf
.bad:
    mov rax, NONCANON
    mov [L_TMP], rax
    SKIP_IN L_QEMU, t2
    F64_BEGIN
    jmp qword far [L_TMP]
    F64_END 13, 0
t2:
    TEST 2 ; selectors that are no target
    mov rbx, rsp
    BADFAR 0, 13, 0
    BADFAR 0x2000, 13, 0x2000
    BADFAR S_DATA, 13, S_DATA
    BADFAR U64, 13, U64 & ~3
    BADFAR CNP, 11, CNP
    BADFAR TSS64, 13, TSS64 ; no tasks here
    SKIP_IN L_QEMU, .q
    BADFAR C_LD, 13, C_LD
    F64_BEGIN
    push C_LD
    push fail64
    o64 retf
    F64_END 13, C_LD
.q:
    DESC GDT + T0, 0, 0x0fff, 0x409b ; 32-bit code that ends early
    SKIP_IN L_QEMU, .q2 ; knows no limits
    BADFAR T0, 13, 0
.q2:
    %assign type 0
    %rep 16
      %if type != 12
    mov dword [GDT + T0 + 4], 0x8000 | (type << 8)
    BADFAR T0, 13, T0
      %endif
      %assign type type + 1
    %endrep

    TEST 3 ; far returns to ring 3 and to null stacks
    F64_BEGIN
    push S_UDATA
    push STACK3
    push U64
    push u_int30
    o64 retf
    F64_END 0x30
    EXPECTQ [L_CS], U64
    EXPECTQ [L_RSP], STACK3
    F64_BEGIN
    push S_UDATA
    push STACK3
    push S_UCODE
    push u32_int30
    o64 retf
    F64_END 0x30
    EXPECTQ [L_CS], S_UCODE
    F64_BEGIN ; level 1 may have none
    push 1
    push 0x8300
    push C64_1 | 1
    push u_int30
    o64 retf
    F64_END 0x30
    EXPECTQ [L_SS], 1
    EXPECTQ [L_RSP], 0x8300
    F64_BEGIN
    push 3
    push STACK3
    push U64
    push u_int30
    o64 retf
    F64_END 13, 0
    SKIP_IN L_QEMU, t4
    F64_BEGIN
    mov rax, NONCANON
    push C64
    push rax
    o64 retf
    F64_END 13, 0
t4:
    TEST 4 ; call gates
    GATE64 GDT + T0, C64, HIGH + g_inner, 0xec00
    F64_BEGIN
    USER64 u_gate
    F64_END 0x30
    EXPECTQ [L_TMP + 8], 0       ; SS
    EXPECTQ [L_TMP + 16], RSP0 - 32
    EXPECTQ [L_TMP + 24], u_gate_ret
    EXPECTQ [L_TMP + 32], U64
    EXPECTQ [L_TMP + 40], STACK3
    EXPECTQ [L_TMP + 48], S_UDATA
    EXPECTQ [L_RSP], STACK3
    F64_BEGIN ; from 32-bit code
    USER32 u32_gate
    F64_END 0x30
    EXPECTQ [L_CS], S_UCODE
    EXPECTQ [L_TMP + 24], u32_gate_ret
    EXPECTQ [L_TMP + 32], S_UCODE
    GATE64 GDT + T0, C64, g_same, 0xec00 ; one level
    mov rbx, rsp
    FARPTR T0, 0
    call dword far [L_TMP]
.ret:
    EXPECTR rsp, rbx
    F64_BEGIN ; JMP stays at its level
    USER64 u_jmpgate
    F64_END 13, C64
    GATE64 GDT + T0, C64, fail64, 0x8c00
    F64_BEGIN
    USER64 u_gate
    F64_END 13, T0
    GATE64 GDT + T0, C64, fail64, 0x6c00
    BADFAR T0, 11, T0
    GATE64 GDT + T0, S_CODE, fail64, 0x8c00 ; to 32-bit code
    BADFAR T0, 13, S_CODE
    GATE64 GDT + T0, 0, fail64, 0x8c00
    BADFAR T0, 13, 0
    GATE64 GDT + T0, C64, fail64, 0x8c00
    mov dword [GDT + T0 + 12], 0x1f00 ; a type where none may be
    BADFAR T0, 13, T0
    SKIP_IN L_QEMU, t5
    GATE64 GDT + T0, C64, NONCANON, 0x8c00
    BADFAR T0, 13, 0
t5:
    TEST 5 ; LDT and TSS of 16 bytes
    DESC GDT + T0, 0x6000, 0xff, 0x0082
    mov dword [GDT + T0 + 8], HIGH >> 32
    mov dword [GDT + T0 + 12], 0
    add dword [GDT + T0 + 4], (HIGH & 0xff000000)
    DESC 0x6008, 0x10000, 0xfff, 0x4093
    mov dword [0x10010], 'here'
    mov ax, T0
    lldt ax
    mov ax, 0xc
    mov fs, ax
    EXPECTR dword [fs:0x10], 'here'
    SKIP_IN L_QEMU, .q ; does not look there
    mov dword [GDT + T0 + 12], 0x100
    F64_BEGIN
    mov ax, T0
    lldt ax
    F64_END 13, T0
.q:
    xor eax, eax
    lldt ax
    F64_BEGIN
    mov ax, TSS64 ; busy
    ltr ax
    F64_END 13, TSS64
    SKIP_IN L_QEMU, .q2
    mov byte [GDT + TSS64 + 5], 0x81 ; 16-bit: QEMU takes it
    F64_BEGIN
    mov ax, TSS64
    ltr ax
    F64_END 13, TSS64
.q2:
    mov byte [GDT + TSS64 + 5], 0x09
    F64_BEGIN
    mov ax, TSS64
    ltr ax
    F64_END 11, TSS64
    mov byte [GDT + TSS64 + 5], 0x89
    mov ax, TSS64
    ltr ax
    EXPECTR byte [GDT + TSS64 + 5], 0x8b
    mov ecx, TSS64
    lar eax, ecx
    FAILIF64 nz
    EXPECTR eax, 0x8b00
    lsl eax, ecx
    FAILIF64 nz
    EXPECTR eax, 0x7ff

    TEST 6 ; segment registers: null ones do for 64-bit code, limits do not count
    xor eax, eax
    mov ds, eax
    mov es, eax
    mov ss, eax
    push qword 'qwer'
    EXPECTR dword [L_TMP - L_TMP + rsp], 'qwer'
    pop rax
    SKIP_IN L_QEMU, .q3 ; minds neither the RPL of a null selector nor limits
    F64_BEGIN
    mov eax, 3
    mov ss, eax
    F64_END 13, 0
.q3:
    F64_BEGIN
    mov eax, S_UDATA
    mov ss, eax
    F64_END 13, S_UDATA & ~3
    F64_BEGIN
    USER64 u_nullss
    F64_END 13, 0
    DESC GDT + T0, 0x1000, 0xff, 0x4093
    mov eax, T0
    mov ds, eax
    mov eax, [L_TMP] ; neither base nor limit
    SKIP_IN L_QEMU, .q4
    F64_BEGIN
    TO32
    mov eax, [0x100] ; but here
    bits 64
    F64_END 13, 0
.q4:
    WRMSR64 FSBASE, HIGH + 0x10000
    EXPECTR dword [fs:0x10], 'here'
    mov rbx, rsp
    push fs
    lea rax, [rsp + 8]
    EXPECTR rax, rbx
    pop gs
    EXPECTR rsp, rbx
    mov eax, S_DATA
    mov ds, eax
    mov es, eax

    TEST 7 ; addresses that are not canonical: #SS by the stack's registers, else #GP
    mov rbp, NONCANON
    mov rbx, rbp
    mov rsi, EDGE + 0x1ffffc
%macro NC 2+ ; vector, instruction
    F64_BEGIN
%%i:
    %2
    F64_END %1, 0
    EXPECTQ [L_RIP], %%i
%endmacro
    NC 13, mov eax, [rbx]
    NC 13, mov [rbx], eax
    NC 13, add [rbx], eax
    mov eax, [rsi] ; the last dword of the lower half
    SKIP_IN L_QEMU, t8 ; checks no branches, knows only #GP, and no straddling
    NC 13, jmp rbx
    NC 13, call rbx
    NC 13, fxsave [rbx]
    NC 13, movups xmm0, [rbx]
    invlpg [rbx] ; says nothing
    NC 13, mov rax, [rsi]
    NC 12, mov eax, [rbp]
    NC 12, push qword [rbp]
    F64_BEGIN
    mov rsp, rbx
.pop:
    pop rax
    F64_END 12, 0
    EXPECTQ [L_RIP], .pop
    F64_BEGIN
    push rbx
.ret:
    ret
    F64_END 13, 0
    EXPECTQ [L_RIP], .ret
    mov word [rsi + 2], 0x9090 ; running off the edge
    mov rax, EDGE + 0x1ffffe
    F64_BEGIN
    jmp rax
    F64_END 13, 0
    EXPECTQ [L_RIP], NONCANON
t8:
    TEST 8 ; single-step: one trap an instruction
    mov qword [L_RESUME], t8_trap
    mov qword [L_COUNT], 0
    mov [L_RESP], rsp
    push 0x102
    popfq
t8_0:
    nop
t8_1:
    mov rax, 0x123456789abcdef0
t8_2:
    jmp t8_3
t8_3:
    ud2
t8_table:
    dq t8_1, t8_2, t8_3
t8_trap:
    EXPECTR qword [L_VEC], 1
    mov rcx, [L_COUNT]
    mov rbx, [L_RIP]
    EXPECTR rbx, [t8_table + rcx * 8]
    inc rcx
    mov [L_COUNT], rcx
    cmp rcx, 3
    je pass64
    push S_DATA ; on with the next
    push qword [L_RSP]
    push 0x102
    push C64
    push rbx
    iretq
g_inner:
    mov [L_TMP + 8], ss
    mov dword [L_TMP + 12], 0
    mov word [L_TMP + 10], 0
    mov [L_TMP + 16], rsp
    mov rax, [rsp]
    mov [L_TMP + 24], rax
    mov rax, [rsp + 8]
    mov [L_TMP + 32], rax
    mov rax, [rsp + 16]
    mov [L_TMP + 40], rax
    mov rax, [rsp + 24]
    mov [L_TMP + 48], rax
    o64 retf
g_same:
    EXPECTR qword [rsp], t4.ret
    EXPECTR qword [rsp + 8], C64
    o64 retf
u_gate:
    mov dword [L_TMP], 0
    mov word [L_TMP + 4], T0 | 3
    call dword far [L_TMP]
u_gate_ret:
    int 0x30
u_jmpgate:
    mov word [L_TMP + 4], T0 | 3
    jmp dword far [L_TMP]
u_nullss:
    mov eax, 3
    mov ss, eax
    bits 32
u32_gate:
    call T0 | 3:0
u32_gate_ret:
    int 0x30
u32_int30:
    int 0x30
ROM_END
