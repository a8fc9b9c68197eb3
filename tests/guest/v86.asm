; Virtual-8086 mode: entry and exit, IOPL, I/O map, VME with its redirection map, PVI.
%include "common.inc"
MAP equ 0x200 ; offset of the I/O map in the TSS; the redirection map is in front of it
PROTECTED_MODE
    bits 32
%macro V86 2 ; label, flags beside VM
    push dword 0x4444 ; GS FS DS ES
    push dword 0x3333
    push dword 0x0000
    push dword 0x1111
    push dword 0x0700 ; SS:SP = 7000:... linear 7000h + 800h
    push dword 0x0800
    push dword 0x20002 | (%2)
    push dword 0xf000
    push dword %1 - $$
    iretd
%endmacro
%macro SLOT 2 ; dword at slot %1 of the frame that the handler saw (0: vector)
    mov eax, [V_HESP]
    EXPECT dword [eax + %1 * 4], %2
%endmacro
IOPL3 equ 0x3000
VIF equ 0x80000
VIP equ 0x100000
tests:
    mov word [TSS + 0x66], MAP
    mov dword [TSS + MAP + 0x80], 0
    ; the handler runs at STACK0 - 800h: frame vec err eip cs efl esp ss es ds fs gs
    TEST 1 ; entry, registers, exit by #GP of HLT
    FAULT_BEGIN
    V86 v_regs, 0
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_regs_hlt - $$
    EXPECT dword [V_CS], 0xf000
    EXPECT dword [V_SS], 0x0700
    EXPECT dword [V_ESP], 0x7fe
    EXPECT dword [V_TMP], 0x86
    EXPECT dword [V_HESP], STACK0 - 0x800 - 44
    SLOT 7, 0x0054
    SLOT 8, 0x0000
    SLOT 9, 0x3333
    SLOT 10, 0x4444
    test dword [V_EFL], 0x20000
    FAILIF z
    test dword [V_HEFL], 0x20000
    FAILIF nz
    mov ax, fs ; data segments are null in the handler
    EXPECT ax, 0
    mov ax, gs
    EXPECT ax, 0
    mov ax, S_DATA
    mov es, ax

    TEST 2 ; IOPL < 3
    FAULT_BEGIN
    V86 v_cli, 0
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_sti, 0
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_pushf, 0
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_popf, 0
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_iret, 0
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_int, 0
    FAULT_END 13, 0

    TEST 3 ; IOPL = 3: they work
    FAULT_BEGIN
    V86 v_flags3, IOPL3
    FAULT_END 13, 0
    EXPECT dword [V_TMP], 0x33
    FAULT_BEGIN
    V86 v_int, IOPL3 ; gate has DPL 0
    FAULT_END 13, 0x32 * 8 + 2
    mov byte [IDT + 0x32 * 8 + 5], 0xee
    FAULT_BEGIN
    V86 v_int, IOPL3
    FAULT_END 0x32
    EXPECT dword [V_EIP], v_int - $$ + 2

    TEST 4 ; instructions that do not exist here, and privileged ones
    FAULT_BEGIN
    V86 v_sldt, IOPL3
    FAULT_END 6
    FAULT_BEGIN
    V86 v_lar, IOPL3
    FAULT_END 6
    FAULT_BEGIN
    V86 v_arpl, IOPL3
    FAULT_END 6
    FAULT_BEGIN
    V86 v_cr, IOPL3
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_lgdt, IOPL3
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_clts, IOPL3
    FAULT_END 13, 0

    TEST 5 ; the I/O map counts even with IOPL 3
    mov word [TSS + MAP + 0x10], 0xffff
    FAULT_BEGIN
    V86 v_in, IOPL3
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_in - $$
    mov word [TSS + MAP + 0x10], 0xfffe
    FAULT_BEGIN
    V86 v_in, IOPL3
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_in - $$ + 2

    TEST 6 ; limits are 64 K
    FAULT_BEGIN
    V86 v_limit, IOPL3
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_limit_at - $$
    FAULT_BEGIN
    V86 v_stack, IOPL3
    FAULT_END 12, 0

    TEST 7 ; a gate to a level other than 0 is refused
    DESC GDT + 0x40, 0, 0xfffff, 0xc09f ; conforming
    mov word [IDT + 0x33 * 8 + 2], 0x40
    mov byte [IDT + 0x33 * 8 + 5], 0xee
    FAULT_BEGIN
    V86 v_int33, IOPL3
    FAULT_END 13, 0x40
    mov word [IDT + 0x33 * 8 + 2], S_UCODE
    FAULT_BEGIN
    V86 v_int33, IOPL3
    FAULT_END 13, S_UCODE & ~3
    mov word [IDT + 0x33 * 8 + 2], S_CODE

    TEST 8 ; VME: CLI, STI, PUSHF, POPF act on VIF
    mov eax, cr4
    or eax, 1
    mov cr4, eax
    FAULT_BEGIN
    V86 v_vme, 0
    FAULT_END 13, 0
    EXPECT dword [V_TMP], 0x5e
    test dword [V_EFL], VIF
    FAILIF z
    test dword [V_EFL], 0x3000
    FAILIF nz
    test dword [V_EFL], 0x200
    FAILIF nz
    FAULT_BEGIN
    V86 v_sti, VIP
    FAULT_END 13, 0
    FAULT_BEGIN
    V86 v_cli, VIF
    FAULT_END 13, 0 ; the HLT behind it
    EXPECT dword [V_EIP], v_cli - $$ + 1
    test dword [V_EFL], VIF
    FAILIF nz
    FAULT_BEGIN
    V86 v_cli, VIP | VIF ; both set: #GP in front of the first instruction
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_cli - $$
    FAULT_BEGIN
    V86 v_popf_if, VIP
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_popf_if_at - $$
    FAULT_BEGIN
    V86 v_popf_tf, 0
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_popf_tf_at - $$
    FAULT_BEGIN
    V86 v_pushfd, 0 ; 32-bit form is never virtualised
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_pushfd - $$
    FAULT_BEGIN
    V86 v_iret_vme, 0
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_iret_to - $$
    test dword [V_EFL], VIF
    FAILIF z

    TEST 9 ; VME: INT n by the redirection map
    mov dword [0x34 * 4], ((0xf000) << 16)
    mov ax, v_isr - $$
    mov [0x34 * 4], ax
    FAULT_BEGIN
    V86 v_int34, VIF ; bit clear: the program's own handler; IOPL 0 -> IF image is VIF, IOPL image 3
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_int34_hlt - $$
    EXPECT dword [V_TMP], 0x3200
    test dword [V_EFL], VIF
    FAILIF z
    FAULT_BEGIN
    V86 v_int34, IOPL3 | 0x200 ; IOPL 3: real IF
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_int34_hlt - $$
    EXPECT dword [V_TMP], 0x3200
    or byte [TSS + MAP - 32 + 0x34 / 8], 1 << (0x34 & 7)
    FAULT_BEGIN
    V86 v_int34, 0
    FAULT_END 13, 0
    EXPECT dword [V_EIP], v_int34 - $$
    mov byte [IDT + 0x34 * 8 + 5], 0xee
    FAULT_BEGIN
    V86 v_int34, IOPL3
    FAULT_END 0x34

    TEST 10 ; PVI: CLI and STI at CPL 3 in protected mode
    mov eax, cr4
    or eax, 2
    mov cr4, eax
    FAULT_BEGIN
    USER u_sti
    FAULT_END 0x30
    test dword [V_EFL], VIF
    FAILIF z
    test dword [V_EFL], 0x200
    FAILIF nz
    FAULT_BEGIN
    USER u_cli
    FAULT_END 0x30
    test dword [V_EFL], VIF
    FAILIF nz
    FAULT_BEGIN
    push S_UDATA
    push STACK3
    push dword VIP | 2
    push S_UCODE
    push u_sti
    iretd
    FAULT_END 13, 0
    jmp pass

u_sti:
    sti
    int 0x30
u_cli:
    push dword 0x80002 ; POPF does not touch VIF
    popfd
    cli
    int 0x30
    bits 16
v_regs:
    mov ax, ds
    test ax, ax
    jnz v_bad
    mov ax, gs
    cmp ax, 0x4444
    jne v_bad
    mov ax, ss
    cmp ax, 0x0700
    jne v_bad
    push ax
    mov ax, 0x0054 ; segment:offset as on an 8086
    mov es, ax
    mov dword [es:0], 0x86 ; V_TMP
v_regs_hlt:
    hlt
v_bad:
    mov dword [V_TMP], 0xbad
    hlt
v_cli:
    cli
    hlt
v_sti:
    sti
    hlt
v_pushf:
    pushf
    hlt
v_popf:
    popf
    hlt
v_iret:
    iret
v_int:
    int 0x32
v_int33:
    int 0x33
v_flags3:
    cli
    pushf
    pop ax
    test ax, 0x200
    jnz v_bad
    sti
    pushf
    pop ax
    test ax, 0x200
    jz v_bad
    push word 0 ; IOPL cannot be lowered
    popf
    pushf
    pop ax
    and ax, 0x3000
    cmp ax, 0x3000
    jne v_bad
    mov dword [V_TMP], 0x33
    hlt
v_sldt:
    sldt ax
v_lar:
    lar ax, bx
v_arpl:
    arpl ax, bx
v_cr:
    mov eax, cr0
v_lgdt:
    lgdt [0]
v_clts:
    clts
v_in:
    in al, 0x80
    hlt
v_limit:
    mov bx, 0xffff
    mov al, [bx]
v_limit_at:
    mov ax, [bx]
    hlt
v_stack:
    mov sp, 1
    push ax
    hlt
v_vme:
    sti
    pushf
    pop ax
    and ax, 0x3200
    cmp ax, 0x3200 ; IF shows VIF, IOPL shows 3
    jne v_bad
    cli
    pushf
    pop ax
    and ax, 0x3200
    cmp ax, 0x3000
    jne v_bad
    push word 0x0200
    popf
    mov dword [V_TMP], 0x5e
    hlt
v_popf_if:
    push word 0x0200
v_popf_if_at:
    popf
    hlt
v_popf_tf:
    push word 0x0100
v_popf_tf_at:
    popf
    hlt
v_pushfd:
    pushfd
    hlt
v_iret_vme:
    push word 0x0200
    push cs
    push word v_iret_to - $$
    iret
v_iret_to:
    hlt
v_int34:
    int 0x34
v_int34_hlt:
    hlt
v_isr:
    mov bp, sp
    movzx eax, word [bp + 4]
    and ax, 0x3200
    mov [V_TMP], eax
    pushf
    pop ax
    test ax, 0x200 ; off inside, one way or the other
    jnz v_bad
    iret
ROM_END
