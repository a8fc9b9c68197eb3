; Call, interrupt and trap gates; privilege changes in and out; stacks from the TSS.
%include "common.inc"
PROTECTED_MODE
    bits 32
; slots: 40 call gate DPL3 to level 0, 48 call gate DPL0, 50 not present, 58 to a conforming segment,
; 60 conforming code, 68 16-bit call gate, 70 data DPL 1, 78 code DPL 1, 80 stack DPL 1, 88 gate to 78
tests:
    GATE GDT + 0x40, S_CODE, g_params, 0x3ec
    GATE GDT + 0x48, S_CODE, g_params, 0x08c
    GATE GDT + 0x50, S_CODE, g_params, 0x06c
    GATE GDT + 0x58, 0x60, g_conf, 0x0ec
    DESC GDT + 0x60, 0, 0xfffff, 0xc09f
    GATE GDT + 0x68, S_CODE16, g_16 - $$, 0x2e4
    DESC GDT + 0x78, 0, 0xfffff, 0xc0bb
    DESC GDT + 0x80, 0, 0xfffff, 0xc0b3
    GATE GDT + 0x88, 0x78, g_ring1, 0x0ec
    GATE GDT + 0x90, S_UCODE, g_params, 0x0ec ; outward: not allowed
    GATE GDT + 0x98, 0, g_params, 0x0ec
    GATE GDT + 0xa0, S_DATA, g_params, 0x0ec
    mov dword [TSS + 12], 0x8000 ; ESP1
    mov dword [TSS + 16], 0x81   ; SS1

    TEST 1 ; int from ring 3: frame
    FAULT_BEGIN
    USER u_int
    FAULT_END 0x30
    EXPECT dword [V_EIP], u_int_end
    EXPECT dword [V_CS], S_UCODE
    EXPECT dword [V_ESP], STACK3 - 4
    EXPECT dword [V_SS], S_UDATA
    EXPECT dword [V_HESP], STACK0 - 0x800 - 28
    EXPECT word [V_HCS], S_CODE

    TEST 2 ; gate privilege for INT n; faults do not mind
    FAULT_BEGIN
    USER u_int31
    FAULT_END 13, 0x31 * 8 + 2
    EXPECT dword [V_EIP], u_int31
    FAULT_BEGIN
    USER u_ud
    FAULT_END 6
    FAULT_BEGIN
    USER u_priv
    FAULT_END 13, 0

    TEST 3 ; call gate with parameters
    FAULT_BEGIN
    USER u_gate
    FAULT_END 0x30
    EXPECT dword [V_EAX], 0x600dcafe
    mov eax, [V_ESP]
    EXPECT eax, STACK3

    TEST 4 ; gate checks
    FAULT_BEGIN
    USER u_gate0
    FAULT_END 13, 0x48
    FAULT_BEGIN
    call 0x50:0
    FAULT_END 11, 0x50
    FAULT_BEGIN
    call 0x43:0 ; RPL 3 <= DPL 3: fine, same level
    nop
    FAULT_END -1 ; g_params notices level 0 and comes back by RESUME
    FAULT_BEGIN
    call 0x90:0
    FAULT_END 13, S_UCODE & ~3
    FAULT_BEGIN
    call 0x98:0
    FAULT_END 13, 0
    FAULT_BEGIN
    call 0xa0:0
    FAULT_END 13, S_DATA
    FAULT_BEGIN
    USER u_jmpgate ; JMP cannot go inward
    FAULT_END 13, S_CODE

    TEST 5 ; conforming: CPL stays 3
    FAULT_BEGIN
    USER u_conf
    FAULT_END 0x30
    EXPECT dword [V_CS], 0x63

    TEST 6 ; 16-bit gate, 16-bit code
    DESC GDT + 0xa8, 0xf0000, 0xffff, 0x40fb ; return addresses are 16 bits
    FAULT_BEGIN
    push S_UDATA
    push STACK3
    pushfd
    push 0xab
    push u_gate16 - $$
    iretd
    FAULT_END 0x30
    EXPECT dword [V_ESP], STACK3
    EXPECT dword [V_EAX], 0x43214321

    TEST 7 ; ring 1, and back out to 3 drops segments of level 1
    FAULT_BEGIN
    USER u_ring1
    FAULT_END 0x30
    mov ax, es
    EXPECT ax, 0
    mov ax, fs
    EXPECT ax, S_UDATA
    mov ax, S_DATA
    mov es, ax

    TEST 8 ; bad stacks in the TSS
    mov word [TSS + 16], 0
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 10, 0
    mov word [TSS + 16], 0x80 ; RPL 0
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 10, 0x80
    mov word [TSS + 16], 0x79 ; code
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 10, 0x78
    mov word [TSS + 16], 0x1001
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 10, 0x1000
    mov word [TSS + 16], 0x81
    and byte [GDT + 0x85], 0x7f ; not present
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 12, 0x80
    or byte [GDT + 0x85], 0x80
    DESC GDT + 0x80, 0, 0xff, 0x40b3 ; no room
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 12, 0x80
    DESC GDT + 0x80, 0, 0xfffff, 0xc0b3
    mov word [GDT + 0x28], 0x0b ; TSS limit cuts SS1 off
    mov ax, S_TSS
    and byte [GDT + 0x2d], 0xfd
    ltr ax
    FAULT_BEGIN
    USER u_ring1_only
    FAULT_END 10, S_TSS
    mov word [GDT + 0x28], 0x2fff
    and byte [GDT + 0x2d], 0xfd
    mov ax, S_TSS
    ltr ax

    TEST 9 ; IRET checks
    FAULT_BEGIN
    pushfd
    push S_DATA
    push 0
    iretd
    FAULT_END 13, S_DATA
    FAULT_BEGIN
    pushfd
    push 0
    push 0
    iretd
    FAULT_END 13, 0
    FAULT_BEGIN
    push S_UDATA & ~3 ; RPL 0 for a ring 3 stack
    push STACK3
    pushfd
    push S_UCODE
    push u_int
    iretd
    FAULT_END 13, S_UDATA & ~3
    FAULT_BEGIN
    push 0
    push STACK3
    pushfd
    push S_UCODE
    push u_int
    iretd
    FAULT_END 13, 0

    TEST 10 ; flags: IOPL and IF cannot be had from ring 3
    FAULT_BEGIN
    USER u_flags
    FAULT_END 0x30
    mov eax, [V_EAX]
    test eax, 0x3200
    FAILIF nz
    test dword [V_EFL], 0x4000 ; but NT can
    FAILIF z
    test dword [V_HEFL], 0x4300 ; the gate clears NT, TF, IF
    FAILIF nz

    TEST 11 ; trap gate leaves IF
    mov byte [IDT + 0x31 * 8 + 5], 0x8f
    push dword 0x202
    popfd
    FAULT_BEGIN
    int 0x31
    FAULT_END 0x31
    test dword [V_HEFL], 0x200
    FAILIF z
    push dword 0x202
    popfd
    mov byte [IDT + 0x31 * 8 + 5], 0x8e
    FAULT_BEGIN
    int 0x31
    FAULT_END 0x31
    test dword [V_HEFL], 0x200
    FAILIF nz

    TEST 12 ; retf to ring 3 with immediate
    FAULT_BEGIN
    push S_UDATA
    push STACK3 - 0x100
    push dword 0x11
    push dword 0x22
    push S_UCODE
    push u_int30
    retf 8
    FAULT_END 0x30
    EXPECT dword [V_ESP], STACK3 - 0x100 + 8

    TEST 13 ; I/O permission map
    mov word [TSS + 0x78], 0xffff
    FAULT_BEGIN
    USER u_in
    FAULT_END 13, 0
    mov word [TSS + 0x66], 0x100
    mov dword [TSS + 0x110], 0xfffffffe ; ports 80h.. : only 80h
    FAULT_BEGIN
    USER u_in
    FAULT_END 0x30
    FAULT_BEGIN
    USER u_inw ; 80h and 81h
    FAULT_END 13, 0
    mov word [TSS + 0x66], 0x2ff0 ; map beyond the limit
    FAULT_BEGIN
    USER u_in
    FAULT_END 13, 0

    TEST 14 ; CLI, STI, HLT, LGDT and friends from ring 3
    FAULT_BEGIN
    USER u_cli
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_sti
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_hlt
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_lgdt
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_cr
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_dr
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_invlpg
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_clts
    FAULT_END 13, 0
    FAULT_BEGIN
    USER u_rdmsr
    FAULT_END 13, 0

    TEST 15 ; SYSENTER, SYSEXIT
    mov ecx, 0x174
    xor edx, edx
    xor eax, eax
    wrmsr
    FAULT_BEGIN
    sysenter
    FAULT_END 13, 0
    mov ecx, 0x174
    mov eax, S_CODE
    wrmsr
    mov ecx, 0x175
    mov eax, 0x8800
    wrmsr
    mov ecx, 0x176
    mov eax, k_sysenter
    wrmsr
    DESC GDT + 0x18, 0, 0xfffff, 0xc0fb
    FAULT_BEGIN
    USER u_sysenter
    FAULT_END 0x30
    EXPECT dword [V_CS], S_UCODE
    EXPECT dword [V_SS], S_UDATA
    EXPECT dword [V_ESP], 0x9876
    EXPECT dword [V_TMP], 0x8800

    TEST 16 ; INTO, BOUND, INT3
    mov byte [IDT + 3 * 8 + 5], 0xee
    mov byte [IDT + 4 * 8 + 5], 0xee
    FAULT_BEGIN
    USER u_int3
    FAULT_END 3
    EXPECT dword [V_EIP], u_int3 + 1
    FAULT_BEGIN
    USER u_into
    FAULT_END 4
    mov dword [V_TMP], -5
    mov dword [V_TMP + 4], 5
    mov eax, 5
    bound eax, [V_TMP]
    mov eax, -5
    bound eax, [V_TMP]
    FAULT_BEGIN
    mov eax, 6
    bound eax, [V_TMP]
    FAULT_END 5
    jmp pass

g_params: ; called with two... three dwords: 11 22 33
    test dword [esp + 4], 3
    jz .same
    cmp dword [esp + 8], 0x33
    FAILIF ne
    cmp dword [esp + 12], 0x22
    FAILIF ne
    cmp dword [esp + 16], 0x11
    FAILIF ne
    EXPECT dword [esp + 20], STACK3 - 12
    EXPECT dword [esp + 24], S_UDATA
    EXPECT esp, STACK0 - 0x800 - 28
    mov eax, 0x600dcafe
    retf 12
.same:
    mov esp, [V_RESP]
    jmp [V_RESUME]
g_conf:
    mov ax, cs
    int 0x30
g_ring1:
    mov ax, cs
    cmp ax, 0x79
    FAILIF ne
    mov ax, 0x81
    mov es, ax
    mov ax, S_UDATA
    mov fs, ax
    retf
k_sysenter:
    mov [ss:V_TMP], esp
    mov ax, ss
    cmp ax, S_DATA
    jne fail
    mov edx, u_int30
    mov ecx, 0x9876
    sysexit
    bits 16
g_16:
    mov bp, sp
    mov eax, [bp + 4] ; two words
    retf 4
    bits 32

u_int:
    push eax
    int 0x30
u_int_end:
u_int30:
    int 0x30
u_int31:
    int 0x31
u_ud:
    ud2
u_priv:
    mov ax, S_DATA ; level 0 data
    wbinvd
u_gate:
    mov ax, S_UDATA
    mov ds, ax
    push dword 0x11
    push dword 0x22
    push dword 0x33
    call 0x43:0x12345678 ; offset ignored
    int 0x30
u_gate0:
    call 0x48:0
u_jmpgate:
    jmp 0x43:0
u_conf:
    call 0x5b:0
u_gate16:
    push word 0x4321
    push word 0x4321
    call 0x6b:0
    int 0x30
u_ring1:
    call 0x8b:0
    int 0x30
u_ring1_only:
    call 0x8b:0
u_flags:
    push dword 0x7202
    popfd
    pushfd
    pop eax
    int 0x30
u_in:
    in al, 0x80
    int 0x30
u_inw:
    in ax, 0x80
u_cli:
    cli
u_sti:
    sti
u_hlt:
    hlt
u_lgdt:
    lgdt [V_TMP]
u_cr:
    mov eax, cr0
u_dr:
    mov eax, dr7
u_invlpg:
    invlpg [eax]
u_clts:
    clts
u_rdmsr:
    mov ecx, 0x10
    rdmsr
u_sysenter:
    sysenter
u_int3:
    int3
u_into:
    mov al, 0x7f
    inc al
    into
ROM_END
