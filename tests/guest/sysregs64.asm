; System registers of 64-bit mode: control and debug registers, EFER, MSRs, descriptor-table registers,
; UMIP, FSGSBASE, what ring 3 may not do, MONITOR and MWAIT.  What CPUID does not offer is not tried.
%include "common.inc"
%include "long.inc"
PROTECTED_MODE
LONG_MODE
    cpu default
CPU1C equ 0x700 ; CPUID's answers
CPU7B equ 0x704
CPU7C equ 0x708
CPU7D equ 0x70c
CPUXD equ 0x710
CPU1D equ 0x714
PHYS equ 0x718  ; bits of a physical address
BUF  equ 0x10000
NONC equ 0x800000000000
%macro IFBIT 3
    bt dword [%1], %2
    jnc %3
%endmacro
%macro GP 1+ ; this raises #GP(0)
    F64_BEGIN
    %1
    F64_END 13, 0
%endmacro
%macro UD 1+
    F64_BEGIN
    %1
    F64_END 6
%endmacro
%macro USEREND 2-3 ; ring 3 at a label ends with vector, error
    F64_BEGIN
    USER64 %1
  %if %0 > 2
    F64_END %2, %3
  %else
    F64_END %2
  %endif
%endmacro
%macro RDMSR64 1 ; to RAX; changes RCX RDX
    mov ecx, %1
    rdmsr
    shl rdx, 32
    or rax, rdx
%endmacro
%macro MSR_HOLDS 2 ; index, value
    WRMSR64 %1, %2
    RDMSR64 %1
    mov rbx, %2
    EXPECTR rax, rbx
%endmacro
%macro MSR_GP 2 ; does not take the value
    F64_BEGIN
    WRMSR64 %1, %2
    F64_END 13, 0
%endmacro
%macro NO_MSR 1
    mov ecx, %1
    GP rdmsr
    MSR_GP %1, 0
%endmacro
%macro CR4SET 1
    mov rax, cr4
    or rax, %1
    mov cr4, rax
%endmacro
%macro CR4CLR 1
    mov rax, cr4
    and rax, ~(%1)
    mov cr4, rax
%endmacro
    bits 32
tests:
    mov eax, 1
    cpuid
    mov [CPU1C], ecx
    mov [CPU1D], edx
    mov eax, 7
    xor ecx, ecx
    cpuid
    mov [CPU7B], ebx
    mov [CPU7C], ecx
    mov [CPU7D], edx
    mov eax, 0x80000001
    cpuid
    mov [CPUXD], edx
    mov eax, 0x80000008
    cpuid
    movzx eax, al
    mov [PHYS], eax
    call long_setup
    call long_enter
    TO64
    call long_tables

    TEST 1 ; CR0
    mov rax, cr0
    mov rbx, rax
    bts rax, 32
    GP mov cr0, rax
    mov rax, rbx
    bts rax, 63
    GP mov cr0, rax
    mov rax, rbx
    and eax, ~0x40000000
    or eax, 0x20000000 ; NW without CD
    GP mov cr0, rax
    mov rax, rbx
    and eax, 0x7fffffff ; no way out of paging here
    GP mov cr0, rax
    mov rax, rbx
    and eax, 0x7ffffffe
    GP mov cr0, rax
    mov rax, cr0
    EXPECTR rax, rbx
    smsw rax
    EXPECTR eax, ebx
    mov eax, -1
    smsw ax
    shr eax, 16
    EXPECTR eax, 0xffff
    mov ax, bx
    and al, 0xfe
    lmsw ax ; does not clear PE
    mov rax, cr0
    EXPECTR rax, rbx
    or al, 8 ; TS
    lmsw ax
    mov rax, cr0
    test al, 8
    FAILIF64 z
    clts
    mov rax, cr0
    EXPECTR rax, rbx

    TEST 2 ; CR2 takes anything, CR1 and CR5 are none
    mov rax, 0x8123456789abcdef
    mov cr2, rax
    mov rbx, cr2
    EXPECTR rax, rbx
    UD db 0x0f, 0x20, 0xc8 ; MOV RAX, CR1
    UD db 0x0f, 0x22, 0xe8 ; MOV CR5, RAX
    UD db 0x0f, 0x20, 0xf8 ; CR7
    UD db 0x44, 0x0f, 0x20, 0xc8 ; CR9
    UD db 0x44, 0x0f, 0x20, 0xf8 ; CR15
    db 0x66, 0x0f, 0x20, 0xd3 ; the operand is 64 bits wide whatever is said
    mov rax, 0x8123456789abcdef
    EXPECTR rax, rbx

    TEST 3 ; CR3
    mov rax, cr3
    mov r8, rax
    mov ecx, [PHYS]
    cmp ecx, 52
    jae .cr3_done
.cr3:
    mov rax, r8
    bts rax, rcx
    GP mov cr3, rax
    inc ecx
    cmp ecx, 63
    jbe .cr3
.cr3_done:
    lea rax, [r8 + 0x18]
    mov cr3, rax
    mov rbx, cr3
    EXPECTR rax, rbx
    mov cr3, r8

    TEST 4 ; CR4
    mov rax, cr4
    mov r8, rax
    mov rbx, rax
    bts rax, 63
    GP mov cr4, rax
    mov rax, r8
    bts rax, 32
    GP mov cr4, rax
    mov rax, r8
    bts rax, 15 ; never given a meaning
    GP mov cr4, rax
    mov rax, r8
    btr rax, 5
    GP mov cr4, rax
%macro CR4BIT 3 ; bit, by which word of CPUID, its bit
    mov rax, r8
    bts rax, %1
    bt dword [%2], %3
    jc %%there
    GP mov cr4, rax
    jmp %%done
%%there:
    mov cr4, rax
    mov rbx, cr4
    EXPECTR rax, rbx
    mov cr4, r8
%%done:
%endmacro
    CR4BIT 0, CPU1D, 1   ; VME
    CR4BIT 1, CPU1D, 1   ; PVI
    CR4BIT 2, CPU1D, 4   ; TSD
    CR4BIT 3, CPU1D, 2   ; DE
    CR4BIT 4, CPU1D, 3   ; PSE
    CR4BIT 6, CPU1D, 7   ; MCE
    CR4BIT 7, CPU1D, 13  ; PGE
    CR4BIT 11, CPU7C, 2  ; UMIP
    CR4BIT 12, CPU7C, 16 ; LA57: not while in long mode even where it is
    CR4BIT 16, CPU7B, 0  ; FSGSBASE
    CR4BIT 17, CPU1C, 17 ; PCIDE
    CR4BIT 18, CPU1C, 26 ; OSXSAVE
    CR4BIT 22, CPU7C, 3  ; PKE

    TEST 5 ; CR8
    mov eax, 9
    mov cr8, rax
    mov rbx, cr8
    EXPECTR rbx, 9
    mov eax, 16
    GP mov cr8, rax
    mov rax, 1 << 63
    GP mov cr8, rax
    xor eax, eax
    mov cr8, rax

    TEST 6 ; debug registers
    mov rax, 0x123456789abcdef0
    mov dr0, rax
    mov dr3, rax
    mov rbx, dr0
    EXPECTR rax, rbx
    mov rbx, dr3
    EXPECTR rax, rbx
    xor ebx, ebx
    mov dr0, rbx
    mov dr3, rbx
    bts rbx, 32
    GP mov dr6, rbx
    GP mov dr7, rbx
    bts rbx, 63
    GP mov dr7, rbx
    GP mov dr4, rbx ; is DR6
    xor eax, eax
    mov dr7, rax
    mov rbx, dr7
    EXPECTR rbx, 0x400
    mov rbx, dr5
    EXPECTR rbx, 0x400
    mov dr6, rax
    mov rbx, dr6
    mov rax, 0xffff0ff0
    EXPECTR rax, rbx
    CR4SET 8
    UD mov rax, dr4
    UD mov dr5, rax
    CR4CLR 8
    ; eight bytes watched, high up
    mov rax, HIGH + BUF + 8
    mov dr1, rax
    mov eax, 0x900404 ; L1: writes, 8 bytes
    bts eax, 10
    mov dr7, rax
    mov rbx, HIGH + BUF
    mov byte [rbx + 7], 1
    mov al, [rbx + 8]
    mov byte [rbx + 16], 1
    mov byte [BUF + 8], 1 ; the same memory at another address
    F64_BEGIN
    mov byte [rbx + 15], 1
    nop
    F64_END 1
    mov rax, dr6
    and eax, 0xf
    EXPECTR eax, 2
    xor eax, eax
    mov dr7, rax
    mov dr6, rax
    mov dr1, rax

    TEST 7 ; EFER
    RDMSR64 0xc0000080
    mov r8, rax
    mov rbx, rax
    btr rbx, 10 ; LMA cannot be written: no fault, no effect
    WRMSR64 0xc0000080, rbx
    RDMSR64 0xc0000080
    EXPECTR rax, r8
    mov rbx, r8
    btr rbx, 8
    MSR_GP 0xc0000080, rbx
    mov rbx, r8
    bts rbx, 1
    MSR_GP 0xc0000080, rbx
    mov rbx, r8
    bts rbx, 9
    MSR_GP 0xc0000080, rbx
    mov rbx, r8
    bts rbx, 63
    MSR_GP 0xc0000080, rbx
    mov rbx, r8
    bts rbx, 0
    MSR_HOLDS 0xc0000080, rbx
    WRMSR64 0xc0000080, r8

    TEST 8 ; addresses in MSRs
%macro CANON 1
    MSR_HOLDS %1, 0x00007fffffffffff
    MSR_HOLDS %1, 0xffff800000000000
    MSR_GP %1, NONC
    MSR_GP %1, 0xffff7fffffffffff
    MSR_GP %1, 1 << 63
    RDMSR64 %1
    mov rbx, 0xffff800000000000
    EXPECTR rax, rbx
    WRMSR64 %1, 0
%endmacro
    CANON 0xc0000082 ; LSTAR
    CANON 0xc0000083 ; CSTAR
    CANON 0xc0000100 ; FS base
    CANON 0xc0000101 ; GS base
    CANON 0xc0000102 ; kernel GS base
    cmp dword [L_AMD], 0
    jne .amd
    CANON 0x175      ; SYSENTER_ESP
    CANON 0x176      ; SYSENTER_EIP
.amd:
    MSR_HOLDS 0xc0000081, 0x8123456789abcdef ; STAR
    WRMSR64 0xc0000081, 0
    MSR_HOLDS 0xc0000084, 0x12345678
    WRMSR64 0xc0000084, 0
    MSR_HOLDS 0x174, 0x18
    NO_MSR 0x12345678
    NO_MSR 0xc0001fff
    bt dword [CPUXD], 27
    jnc .no_aux
    MSR_HOLDS 0xc0000103, 0x89abcdef
    rdtscp
    mov eax, 0x89abcdef
    EXPECTR rcx, rax
    bt dword [CPU7C], 22
    jnc .no_aux
    rdpid rbx
    EXPECTR rbx, rax
    WRMSR64 0xc0000103, 0
.no_aux:

    TEST 9 ; memory types
    IFBIT CPU1D, 16, .no_pat
    RDMSR64 0x277
    mov r8, rax
    MSR_HOLDS 0x277, 0x0001040506070006
    MSR_GP 0x277, 0x0007040600070402
    MSR_GP 0x277, 0x0807040600070406
    MSR_GP 0x277, 0x0300000000000000
    WRMSR64 0x277, r8
.no_pat:
    IFBIT CPU1D, 12, .no_mtrr
    RDMSR64 0xfe
    mov r8, rax
    MSR_GP 0xfe, 0
    test r8d, 0xff
    jz .no_mtrr
    RDMSR64 0x2ff
    mov r9, rax
    MSR_HOLDS 0x2ff, 0x806
    MSR_GP 0x2ff, 0x802
    MSR_GP 0x2ff, 0x1806
    WRMSR64 0x2ff, r9
    MSR_HOLDS 0x200, 0x12345000
    MSR_GP 0x200, 0x12345002
    MSR_GP 0x200, 0x12345100
    MSR_HOLDS 0x201, 0xfffff000
    MSR_GP 0x201, 0xfffff400
    WRMSR64 0x200, 0
    WRMSR64 0x201, 0
    bt r8d, 8
    jnc .no_mtrr
    RDMSR64 0x250
    mov r9, rax
    MSR_HOLDS 0x250, 0x0601040500060606
    MSR_GP 0x250, 0x0606060606060602
    WRMSR64 0x250, r9
.no_mtrr:

    TEST 10 ; the local APIC's base, speculation
    IFBIT CPU1D, 9, .no_apic
    RDMSR64 0x1b
    mov r8, rax
    test eax, 0x800
    FAILIF64 z
    mov rbx, r8
    bts rbx, 9
    MSR_GP 0x1b, rbx
    mov rbx, r8
    bts rbx, 0
    MSR_GP 0x1b, rbx
    mov rbx, r8
    bts rbx, 62
    MSR_GP 0x1b, rbx
.no_apic:
    IFBIT CPU7D, 29, .no_arch
    RDMSR64 0x10a
    MSR_GP 0x10a, rax
.no_arch:
    IFBIT CPU7D, 26, .no_spec
    MSR_HOLDS 0x48, 1
    MSR_HOLDS 0x48, 0
    MSR_GP 0x48, 1 << 32
    WRMSR64 0x49, 1
    MSR_GP 0x49, 1 << 32
    mov ecx, 0x49
    GP rdmsr
.no_spec:

    TEST 11 ; LGDT, LIDT, SGDT, SIDT: ten bytes
    mov rax, -1
    mov [BUF], rax
    mov [BUF + 8], rax
    sgdt [BUF]
    EXPECTR word [BUF], 0xfff
    EXPECTR qword [BUF + 2], GDT
    EXPECTR word [BUF + 10], 0xffff
    sidt [BUF]
    EXPECTR word [BUF], 0xfff
    EXPECTR qword [BUF + 2], IDT64
    EXPECTR word [BUF + 10], 0xffff
    mov rax, NONC
    mov [BUF + 2], rax
    GP lgdt [BUF]
    GP lidt [BUF]
    mov rax, HIGH + GDT
    mov [BUF + 2], rax
    db 0x66 ; no 24-bit bases here
    lgdt [BUF]
    sgdt [BUF + 16]
    mov rax, HIGH + GDT
    EXPECTR [BUF + 18], rax
    mov eax, S_DATA
    mov es, eax
    lgdt [gdtr64]

    TEST 12 ; what ring 3 may not do
    USEREND u_hlt, 13, 0
    USEREND u_cr0, 13, 0
    USEREND u_to_cr8, 13, 0
    USEREND u_dr, 13, 0
    USEREND u_clts, 13, 0
    USEREND u_lmsw, 13, 0
    USEREND u_invlpg, 13, 0
    USEREND u_wbinvd, 13, 0
    USEREND u_rdmsr, 13, 0
    USEREND u_wrmsr, 13, 0
    USEREND u_lgdt, 13, 0
    USEREND u_lldt, 13, 0
    USEREND u_ltr, 13, 0
    USEREND u_swapgs, 13, 0
    IFBIT CPU7B, 20, .no_smap
    USEREND u_stac, 6
    USEREND u_clac, 6
    stac
    pushfq
    pop rax
    bt eax, 18
    FAILIF64 nc
    clac
    pushfq
    pop rax
    bt eax, 18
    FAILIF64 c
.no_smap:
    USEREND u_rdtsc, 0x30
    CR4SET 4
    rdtsc
    USEREND u_rdtsc, 13, 0
    IFBIT CPUXD, 27, .no_rdtscp
    USEREND u_rdtscp, 13, 0
.no_rdtscp:
    CR4CLR 4
    USEREND u_rdpmc, 13, 0

    TEST 13 ; UMIP
    USEREND u_sgdt, 0x30
    USEREND u_smsw, 0x30
    IFBIT CPU7C, 2, .no_umip
    CR4SET 1 << 11
    USEREND u_sgdt, 13, 0
    USEREND u_sidt, 13, 0
    USEREND u_sldt, 13, 0
    USEREND u_str, 13, 0
    USEREND u_smsw, 13, 0
    sgdt [BUF]
    sldt eax
    smsw eax
    CR4CLR 1 << 11
    USEREND u_str, 0x30
.no_umip:

    TEST 14 ; FSGSBASE
    IFBIT CPU7B, 0, .no_fsgsbase
    UD rdfsbase rax
    UD wrgsbase rax
    USEREND u_fsbase, 6
    CR4SET 1 << 16
    mov rax, 0xffff812345678000
    wrfsbase rax
    rdfsbase rbx
    EXPECTR rax, rbx
    RDMSR64 0xc0000100
    EXPECTR rax, rbx
    rdfsbase ebx ; the upper half becomes 0
    mov eax, 0x45678000
    EXPECTR rax, rbx
    mov rax, 0xdeadbeef00001234
    wrgsbase eax
    rdgsbase rbx
    EXPECTR rbx, 0x1234
    mov rax, NONC
    GP wrgsbase rax
    GP wrfsbase rax
    rdgsbase rbx
    EXPECTR rbx, 0x1234
    mov dword [BUF], 0x600df00d
    mov eax, BUF - 0x10
    wrgsbase rax
    EXPECTR dword [gs:abs 0x10], 0x600df00d
    USEREND u_fsbase, 0x30
    rdfsbase rbx
    EXPECTR rbx, 0x77
    TO32
    ; in 32-bit code the instruction is not there
    mov dword [L_VEC], -1
    mov dword [L_RESUME], .back
    mov [L_RESP], esp
    db 0xf3, 0x0f, 0xae, 0xc0
    mov dword [L_VEC], -2
    TO64
    jmp fail64
.back:
    mov qword [L_RESUME], unexpected64
    cmp dword [L_VEC], 6
    FAILIF64 ne
    CR4CLR 1 << 16
    xor eax, eax
    WRMSR64 0xc0000100, 0
    WRMSR64 0xc0000101, 0
.no_fsgsbase:

    TEST 15 ; MONITOR, MWAIT
    IFBIT CPU1C, 3, .no_monitor
    mov eax, BUF
    xor ecx, ecx
    xor edx, edx

    monitor
    mov byte [BUF + 1], 0x33 ; it is written: MWAIT goes on
    xor eax, eax
    mwait
    mwait ; nothing is monitored any more
    mov eax, BUF
    mov ecx, 1
    GP monitor
    mov rcx, 1 << 32
    GP monitor
    xor eax, eax
    mov ecx, 2
    GP mwait
    mov rax, NONC
    xor ecx, ecx
    GP monitor
    USEREND u_monitor, 6
    USEREND u_mwait, 6
.no_monitor:

    TEST 16 ; the local APIC switched off and on again (not for Bochs: it stays off)
    IFBIT CPU1D, 9, .no_apic2
    RDMSR64 0x1b
    mov r8, rax
    mov rbx, r8
    btr rbx, 11
    MSR_HOLDS 0x1b, rbx
    mov eax, 1
    cpuid
    bt edx, 9
    FAILIF64 c
    WRMSR64 0x1b, r8
    mov eax, 1
    cpuid
    bt edx, 9
    FAILIF64 nc
.no_apic2:
    jmp pass64

u_hlt: hlt
u_cr0: mov rax, cr0
u_to_cr8: mov cr8, rax
u_dr: mov rax, dr0
u_clts: clts
u_lmsw: lmsw ax
u_invlpg: invlpg [0]
u_wbinvd: wbinvd
u_rdmsr: mov ecx, 0x10
    rdmsr
u_wrmsr: mov ecx, 0xc0000100
    wrmsr
u_lgdt: lgdt [gdtr64]
u_lldt: lldt ax
u_ltr: ltr ax
u_swapgs: swapgs
u_stac: stac
u_clac: clac
u_rdtsc: rdtsc
    int 0x30
u_rdtscp: rdtscp
    int 0x30
u_rdpmc: mov ecx, 0
    rdpmc
u_sgdt: sgdt [BUF]
    int 0x30
u_sidt: sidt [BUF]
    int 0x30
u_sldt: sldt [BUF]
    int 0x30
u_str: str eax
    int 0x30
u_smsw: smsw rax
    int 0x30
u_fsbase:
    mov eax, 0x77
    wrfsbase rax
    int 0x30
u_monitor:
    mov eax, BUF
    xor ecx, ecx
    xor edx, edx
    monitor
u_mwait:
    xor eax, eax
    xor ecx, ecx
    mwait
ROM_END
