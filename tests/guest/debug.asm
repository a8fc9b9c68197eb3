; TF, breakpoint registers, RF, general detect, the MOV SS shadow, INT1.
%include "common.inc"
PROTECTED_MODE
    bits 32
%macro DR 2
    mov eax, %2
    mov dr%1, eax
%endmacro
%macro DR6IS 1 ; the bits B0-B3, BD, BS, BT
    mov eax, dr6
    and eax, 0xe00f
    EXPECT eax, %1
    xor eax, eax
    mov dr6, eax
%endmacro
tests:
    TEST 1 ; registers
    DR 6, 0
    mov eax, dr6
    EXPECT eax, 0xffff0ff0
    DR 7, 0
    mov eax, dr7
    EXPECT eax, 0x400
    DR 0, 0x12345678
    mov eax, dr0
    EXPECT eax, 0x12345678
    DR 3, 0x87654321
    mov eax, dr3
    EXPECT eax, 0x87654321
    mov eax, dr4 ; the same as DR6
    EXPECT eax, 0xffff0ff0
    mov eax, cr4
    or eax, 8
    mov cr4, eax
    FAULT_BEGIN
    mov eax, dr4
    FAULT_END 6
    FAULT_BEGIN
    mov dr5, eax
    FAULT_END 6
    mov eax, cr4
    and eax, ~8
    mov cr4, eax

    TEST 2 ; single step: after the instruction that follows POPF
    FAULT_BEGIN
    push dword 0x102
    popfd
    mov ebx, 0x1111
.after1:
    mov ebx, 0x2222
    FAULT_END 1
    EXPECT dword [V_EIP], .after1
    EXPECT ebx, 0x1111
    test dword [V_EFL], 0x100
    FAILIF z
    test dword [V_EFL], 0x10000 ; a trap: RF clear
    FAILIF nz
    test dword [V_HEFL], 0x100
    FAILIF nz
    DR6IS 0x4000

    TEST 3 ; single step over a jump, and of an instruction that clears TF
    FAULT_BEGIN
    push dword 0x102
    popfd
    jmp .there
    mov ebx, 5
.there:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .there
    FAULT_BEGIN
    push dword 2
    push dword 0x102
    popfd
    popfd
.after3:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .after3
    DR6IS 0x4000

    TEST 4 ; a fault wins over the trap; INT n enters its handler untraced
    FAULT_BEGIN
    push dword 0x102
    popfd
    ud2
    FAULT_END 6
    test dword [V_EFL], 0x100
    FAILIF z
    FAULT_BEGIN
    push dword 0x102
    popfd
    int 0x32
    FAULT_END 0x32
    DR6IS 0

    TEST 5 ; MOV SS hides the boundary behind it
    FAULT_BEGIN
    mov dx, ss
    push dword 0x102
    popfd
    mov ss, dx
    mov ebx, 7
.after5:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .after5
    DR6IS 0x4000

    TEST 6 ; write watch, four bytes
    DR 0, 0x18004
    DR 7, 0x000d0002 ; G0, write, 4 bytes
    mov eax, [0x18004] ; reads do not matter
    mov dword [0x18000], 1
    mov dword [0x18008], 1
    FAULT_BEGIN
    mov dword [0x18004], 0x55
.after6:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .after6
    EXPECT dword [0x18004], 0x55
    DR6IS 1
    FAULT_BEGIN
    mov byte [0x18007], 1
    nop
    FAULT_END 1
    FAULT_BEGIN
    mov dword [0x18001], 1 ; touches the first byte
    nop
    FAULT_END 1
    FAULT_BEGIN
    add byte [0x18005], 1
    nop
    FAULT_END 1
    DR6IS 1

    TEST 7 ; read or write, one byte, DR2; two at once
    DR 2, 0x18004
    DR 7, 0x03000010
    FAULT_BEGIN
    mov al, [0x18004]
    nop
    FAULT_END 1
    DR6IS 4
    mov al, [0x18005]
    DR 7, 0x030d0012
    FAULT_BEGIN
    mov dword [0x18004], 1
    nop
    FAULT_END 1
    DR6IS 5

    TEST 8 ; string instruction: after the iteration
    DR 0, 0x18008
    DR 7, 0x000d0002
    mov edi, 0x18000
    mov ecx, 5
    xor eax, eax
    FAULT_BEGIN
.rep:
    rep stosd
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .rep
    EXPECT ecx, 2
    EXPECT edi, 0x1800c
    DR6IS 1
    rep stosd ; the rest

    TEST 9 ; instruction breakpoint: a fault; RF lets it through once
    DR 1, .here9
    DR 7, 0x00000008
    FAULT_BEGIN
    mov ebx, 1
.here9:
    mov ebx, 2
    FAULT_END 1
    EXPECT dword [V_EIP], .here9
    EXPECT ebx, 1
    DR6IS 2
    FAULT_BEGIN
    pushfd
    or dword [esp], 0x10000
    push S_CODE
    push .here9b
    iretd
.here9b:
    ud2
    FAULT_END 6
    DR 1, .here10
    pushfd
    or dword [esp], 0x10000
    push S_CODE
    push .here10
    iretd
.here10:
    mov ebx, 10
    EXPECT ebx, 10
    mov ecx, 2
    FAULT_BEGIN
    jmp .here10 ; RF is gone by now
    FAULT_END 1
    DR6IS 2
    DR 7, 0

    TEST 10 ; general detect
    DR 7, 0x2000
    FAULT_BEGIN
.gd:
    mov eax, dr0
    FAULT_END 1
    EXPECT dword [V_EIP], .gd
    mov eax, dr7 ; GD was cleared on the way in
    test eax, 0x2000
    FAILIF nz
    DR6IS 0x2000

    TEST 11 ; I/O breakpoint
    mov eax, cr4
    or eax, 8
    mov cr4, eax
    DR 3, 0x80
    DR 7, 0x20000080
    FAULT_BEGIN
    out 0x80, al
.after11:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .after11
    DR6IS 8
    DR 7, 0

    TEST 12 ; ICEBP
    FAULT_BEGIN
    db 0xf1
.after12:
    nop
    FAULT_END 1
    EXPECT dword [V_EIP], .after12
    jmp pass
ROM_END
