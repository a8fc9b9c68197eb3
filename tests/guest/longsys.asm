; The fast system calls of long mode, SWAPGS, and what single-step makes of them.  Knows both makers.
%include "common.inc"
%include "long.inc"
PROTECTED_MODE
LONG_MODE
%define EFER  0xc0000080
%define STAR  0xc0000081
%define LSTAR 0xc0000082
%define CSTAR 0xc0000083
%define FMASK 0xc0000084
%define FSBASE 0xc0000100
%define GSBASE 0xc0000101
%define KGSBASE 0xc0000102
; one set of slots that suits STAR and SYSENTER_CS
K64  equ 0x140
K64D equ 0x148
X32  equ 0x150
XD   equ 0x158
X64  equ 0x160
XD64 equ 0x168
%macro SKIP_AMD 1
    cmp byte [L_AMD], 0
    jne %1
%endmacro
%macro SKIP_INTEL 1
    cmp byte [L_AMD], 0
    je %1
%endmacro
    bits 32
tests:
    call long_setup
    call long_enter
    TO64
    call long_tables
    DESC GDT + K64, 0, 0xfffff, 0xa09b
    DESC GDT + K64D, 0, 0xfffff, 0xc093
    DESC GDT + X32, 0, 0xfffff, 0xc0fb
    DESC GDT + XD, 0, 0xfffff, 0xc0f3
    DESC GDT + X64, 0, 0xfffff, 0xa0fb
    DESC GDT + XD64, 0, 0xfffff, 0xc0f3

    TEST 1 ; not without EFER.SCE
    F64_BEGIN
    syscall
    F64_END 6
    F64_BEGIN
    o64 sysret
    F64_END 6
    F64_BEGIN
    USER64 u_syscall
    F64_END 6
    mov ecx, EFER
    rdmsr
    or al, 1
    wrmsr

    TEST 2 ; what is not canonical does not go into the registers
%macro BADMSR 1
    F64_BEGIN
    WRMSR64 %1, NONCANON
    F64_END 13, 0
%endmacro
    SKIP_IN L_QEMU, t3 ; takes them
    BADMSR LSTAR
    BADMSR CSTAR
    BADMSR FSBASE
    BADMSR GSBASE
    BADMSR KGSBASE
    SKIP_AMD t3
    BADMSR 0x175
    BADMSR 0x176
t3:
    TEST 3 ; SYSCALL
    WRMSR64 STAR, X32 << 48 | (K64 | 3) << 32 | 0x12345678
    WRMSR64 LSTAR, HIGH + k_syscall
    WRMSR64 CSTAR, HIGH + k_cstar
    WRMSR64 FMASK, 0x4701
    F64_BEGIN
    USER64 u_syscall
    F64_END 0x30
    EXPECTQ [L_TMP], u_syscall_ret
    EXPECTQ [L_TMP + 8], 0x48d7 ; user's flags
    EXPECTQ [L_TMP + 16], STACK3
    EXPECTQ [L_TMP + 24], K64
    EXPECTQ [L_TMP + 32], K64D
    SKIP_IN L_QEMU, .status ; clears the status flags, whatever the mask says
    EXPECTQ [L_TMP + 40], 0x8d6 ; NT, CF masked
.status:
    EXPECTQ [L_CS], X64 | 3
    EXPECTQ [L_SS], XD | 3
    EXPECTQ [L_RFL], 0x48d7
    EXPECTQ [L_RSP], STACK3

    TEST 4 ; SYSRET to 32-bit code
    WRMSR64 LSTAR, k_to32
    F64_BEGIN
    USER64 u_syscall
    F64_END 0x30
    EXPECTQ [L_CS], X32 | 3
    EXPECTQ [L_SS], XD | 3
    EXPECTQ [L_RIP], u32_int30_end
    EXPECTQ [L_RSP], STACK3 - 4
    EXPECTQ [L_RAX], 1

    TEST 5 ; RFLAGS from R11: all but RF and VM and what is reserved
    F64_BEGIN
    mov rcx, u_int30
    mov r11, ~0x300
    mov rsp, STACK3
    o64 sysret
    F64_END 0x30
    SKIP_IN L_QEMU, t6 ; not VIF and VIP
    EXPECTQ [L_RFL], 0x3c7cd7
t6:

    TEST 6 ; only from level 0, only in 64-bit mode
    F64_BEGIN
    USER64 u_sysret
    F64_END 13, 0
    EXPECTQ [L_RIP], u_sysret
    SKIP_AMD .amd
    SKIP_IN L_QEMU, t8 ; all processors alike; nor does it look at RCX
    F64_BEGIN
    USER32 u32_syscall
    F64_END 6
    EXPECTQ [L_RIP], u32_syscall
    F64_BEGIN
    TO32
    syscall
    bits 64
    F64_END 6
    F64_BEGIN
    TO32
    sysret
    bits 64
    F64_END 6
    jmp t7
.amd:
    F64_BEGIN
    USER32 u32_syscall
    F64_END 0x30
    EXPECTQ [L_TMP], u32_syscall + 2
    EXPECTQ [L_CS], X32 | 3
    EXPECTQ [L_RIP], u32_syscall + 4
t7:
    TEST 7 ; a return address that is not canonical: before the return, or after
    SKIP_IN L_QEMU, t8
    F64_BEGIN
    mov rcx, NONCANON
    mov r11d, 2
t7_sysret:
    o64 sysret
    F64_END 13, 0
    SKIP_INTEL .intel
    EXPECTQ [L_CS], X64 | 3
    EXPECTQ [L_RIP], NONCANON
    jmp t8
.intel:
    EXPECTQ [L_CS], C64
    EXPECTQ [L_RIP], t7_sysret
    F64_BEGIN ; 32 bits of it do not mind
    mov rcx, 0x1234567800000000 + u32_int30
    mov r11d, 2
    mov rsp, STACK3
    o32 sysret
    F64_END 0x30
    EXPECTQ [L_RIP], u32_int30_end
t8:
    TEST 8 ; SYSENTER and SYSEXIT
    SKIP_INTEL .intel
    F64_BEGIN
    sysenter
    F64_END 6
    F64_BEGIN
    sysexit
    F64_END 6
    SKIP_IN L_QEMU, t9
    F64_BEGIN
    USER32 u32_sysenter
    F64_END 6
    jmp t9
.intel:
    WRMSR64 0x174, 0
    WRMSR64 0x175, HIGH + 0x8880
    WRMSR64 0x176, HIGH + k_sysenter
    F64_BEGIN
    sysenter
    F64_END 13, 0
    F64_BEGIN
    sysexit
    F64_END 13, 0
    WRMSR64 0x174, K64 | 3
    F64_BEGIN
    USER64 u_sysenter
    F64_END 0x30
    EXPECTQ [L_TMP], HIGH + 0x8880
    EXPECTQ [L_TMP + 8], K64
    EXPECTQ [L_TMP + 16], K64D
    EXPECTQ [L_CS], X64 | 3
    EXPECTQ [L_SS], XD64 | 3
    EXPECTQ [L_RSP], HIGH + 0x9990
    EXPECTQ [L_RIP], HIGH + u_int30 + 2
    F64_BEGIN
    USER32 u32_sysenter
    F64_END 0x30
    EXPECTQ [L_CS], X64 | 3
    WRMSR64 0x176, k_exit32
    F64_BEGIN
    USER64 u_sysenter
    F64_END 0x30
    EXPECTQ [L_CS], X32 | 3
    EXPECTQ [L_SS], XD | 3
    EXPECTQ [L_RSP], 0x9990 - 4
    EXPECTQ [L_RAX], 1
    F64_BEGIN
    USER64 u_sysexit
    F64_END 13, 0
    SKIP_IN L_QEMU, t9
    F64_BEGIN
    mov rdx, NONCANON
    mov rcx, STACK3
    o64 sysexit
    F64_END 13, 0
    EXPECTQ [L_CS], C64
    F64_BEGIN
    mov rdx, u_int30
    mov rcx, NONCANON
    o64 sysexit
    F64_END 13, 0
t9:
    TEST 9 ; SWAPGS
    WRMSR64 GSBASE, HIGH + 0x10000
    WRMSR64 KGSBASE, 0x18000
    mov dword [0x10000], 'user'
    mov dword [0x18000], 'kern'
    xor ebx, ebx
    EXPECTR dword [gs:rbx], 'user'
    swapgs
    EXPECTR dword [gs:rbx], 'kern'
    mov ecx, KGSBASE
    rdmsr
    EXPECTR edx, HIGH >> 32
    EXPECTR eax, 0x10000
    swapgs
    EXPECTR dword [gs:rbx], 'user'
    F64_BEGIN
    USER64 u_swapgs
    F64_END 13, 0
    F64_BEGIN
    TO32
    db 0x0f, 0x01, 0xf8
    bits 64
    F64_END 6

    TEST 10 ; single-step: the trap behind SYSCALL goes by the TF it left, that behind SYSRET by the TF
    ; it brings
    SKIP_IN L_BOCHS, t11 ; traps in front of the handler
    WRMSR64 LSTAR, k_return
    F64_BEGIN
    USER64 u_step
    F64_END 1
    EXPECTQ [L_RIP], u_step_trap ; POPF itself: the next instruction is done
    EXPECTQ [L_CS], X64 | 3
    bt qword [L_RFL], 8
    FAILIF64 nc
    WRMSR64 FMASK, 0
    F64_BEGIN
    USER64 u_step
    F64_END 1
    EXPECTQ [L_RIP], k_return
    EXPECTQ [L_CS], K64
    mov rax, dr6
    bt eax, 14
    FAILIF64 nc
t11:
    jmp pass64

k_syscall:
    mov [L_TMP], rcx
    mov [L_TMP + 8], r11
    mov [L_TMP + 16], rsp
    mov [L_TMP + 24], cs
    mov [L_TMP + 32], ss
    mov rsp, STACK0
    pushfq
    pop qword [L_TMP + 40]
    push rcx ; the stack works
    pop rax
    EXPECTR rax, rcx
    lea rax, [rel k_syscall]
    mov rdx, HIGH + k_syscall
    EXPECTR rax, rdx
    mov rsp, [L_TMP + 16]
    o64 sysret
k_cstar:
    lea rax, [rel k_cstar]
    mov rdx, HIGH + k_cstar
    EXPECTR rax, rdx
    mov [L_TMP], rcx
    o32 sysret
k_to32:
    mov ecx, u32_int30
    o32 sysret
k_return:
    o64 sysret
k_sysenter:
    mov [L_TMP], rsp
    mov [L_TMP + 8], cs
    mov [L_TMP + 16], ss
    lea rax, [rel k_sysenter]
    mov rdx, HIGH + k_sysenter
    EXPECTR rax, rdx
    mov rdx, HIGH + u_int30
    mov rcx, HIGH + 0x9990
    o64 sysexit
k_exit32:
    mov rdx, HIGH + u32_int30
    mov rcx, HIGH + 0x9990
    o32 sysexit

u_syscall:
    push 0x4ad7 ; NT OF SF ZF AF PF CF, and IF, which does not come
    popfq
    syscall
u_syscall_ret:
    int 0x30
u_sysret:
    o64 sysret
u_sysenter:
    sysenter
u_sysexit:
    sysexit
u_swapgs:
    swapgs
u_step:
    push 0x102
    popfq
    syscall
u_step_trap:
    int 0x30
    bits 32
u32_int30:
    xor eax, eax
    inc eax
    push eax
    int 0x30
u32_int30_end:
u32_syscall:
    syscall
    int 0x30
u32_sysenter:
    sysenter
ROM_END
