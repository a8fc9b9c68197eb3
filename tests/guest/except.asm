; Exceptions: classes, double faults, EXT and IDT bits, order, RF, instruction length.
%include "common.inc"
PROTECTED_MODE
    bits 32
%macro GATE_OFF 1 ; not present
    and byte [IDT + %1 * 8 + 5], 0x7f
%endmacro
%macro GATE_ON 1
    or byte [IDT + %1 * 8 + 5], 0x80
%endmacro
tests:
    TEST 1 ; divide errors
    FAULT_BEGIN
    xor ecx, ecx
    xor edx, edx
    mov eax, 1
.div0:
    div ecx
    FAULT_END 0
    mov eax, [V_EIP]
    cmp word [eax], 0xf1f7
    FAILIF ne
    FAULT_BEGIN
    mov edx, 5
    mov ecx, 5
    div ecx ; quotient too large
    FAULT_END 0
    FAULT_BEGIN
    mov eax, 0x80000000
    cdq
    mov ecx, -1
    idiv ecx
    FAULT_END 0

    TEST 2 ; RF: set by faults, not by INT n
    FAULT_BEGIN
    ud2
    FAULT_END 6
    test dword [V_EFL], 0x10000
    FAILIF z
    FAULT_BEGIN
    int 0x32
    FAULT_END 0x32
    test dword [V_EFL], 0x10000
    FAILIF nz

    TEST 3 ; IDT bit, EXT bit
    GATE_OFF 0x32
    FAULT_BEGIN
    int 0x32
    FAULT_END 11, 0x32 * 8 + 2
    GATE_ON 0x32
    GATE_OFF 6
    FAULT_BEGIN
    ud2
    FAULT_END 11, 6 * 8 + 3
    GATE_ON 6
    FAULT_BEGIN
    int 0x40 ; a gate of zeros
    FAULT_END 13, 0x40 * 8 + 2
    lidt [short_idt]
    FAULT_BEGIN
    int 0x33
    FAULT_END 13, 0x33 * 8 + 2
    lidt [idtr]
    mov byte [IDT + 0x32 * 8 + 5], 0x8c ; a call gate is no interrupt gate
    FAULT_BEGIN
    int 0x32
    FAULT_END 13, 0x32 * 8 + 2
    mov byte [IDT + 0x32 * 8 + 5], 0x8e

    TEST 4 ; the handler's code segment
    mov word [IDT + 0x32 * 8 + 2], 0
    FAULT_BEGIN
    int 0x32
    FAULT_END 13, 0
    mov word [IDT + 0x32 * 8 + 2], S_DATA
    FAULT_BEGIN
    int 0x32
    FAULT_END 13, S_DATA
    mov word [IDT + 0x32 * 8 + 2], S_UCODE
    FAULT_BEGIN
    int 0x32 ; less privileged
    FAULT_END 13, S_UCODE & ~3
    mov word [IDT + 0x32 * 8 + 2], 0x1000
    FAULT_BEGIN
    int 0x32
    FAULT_END 13, 0x1000
    DESC GDT + 0x40, 0, 0xfffff, 0xc01b
    mov word [IDT + 0x32 * 8 + 2], 0x40
    FAULT_BEGIN
    int 0x32
    FAULT_END 11, 0x40
    DESC GDT + 0x40, 0, 0xff, 0x409b
    FAULT_BEGIN
    int 0x32 ; offset beyond the limit
    FAULT_END 13, 0
    mov word [IDT + 6 * 8 + 2], 0
    FAULT_BEGIN
    ud2
    FAULT_END 13, 1 ; EXT alone
    mov word [IDT + 6 * 8 + 2], S_CODE
    mov word [IDT + 0x32 * 8 + 2], S_CODE

    TEST 5 ; double faults
    GATE_OFF 13
    FAULT_BEGIN
    mov ax, 0x1000
    mov es, ax
    FAULT_END 8, 0
    FAULT_BEGIN
    int 0x40 ; #GP, whose gate is not there: INT n itself is benign
    FAULT_END 8, 0
    GATE_ON 13
    GATE_OFF 0
    FAULT_BEGIN
    xor ecx, ecx
    div ecx
    FAULT_END 8, 0
    GATE_ON 0
    GATE_OFF 11
    FAULT_BEGIN
    DESC GDT + 0x40, 0, 0xfffff, 0xc013
    mov ax, 0x40
    mov es, ax
    FAULT_END 8, 0
    GATE_ON 11
    mov byte [IDT + 13 * 8 + 5], 0x8c ; wrong type: #GP in #GP
    FAULT_BEGIN
    mov ax, 0x1000
    mov es, ax
    FAULT_END 8, 0
    mov byte [IDT + 13 * 8 + 5], 0x8e

    TEST 6 ; with paging: PD 10000, PT 11000
    mov edi, 0x11000
    mov eax, 7
    mov ecx, 1024
.id:
    stosd
    add eax, 0x1000
    loop .id
    mov dword [0x10000], 0x11007
    mov dword [0x10004], 0x12007
    mov eax, 0x10000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    ; page fault whose gate is not there
    GATE_OFF 14
    FAULT_BEGIN
    mov eax, [0x400000]
    FAULT_END 8, 0
    EXPECT dword [V_CR2], 0x400000
    GATE_ON 14
    ; gate 13 on a page that is not there, gate 14 on the next: contributory, then #PF: serial
    mov esi, IDT
    mov edi, 0x13000 - 14 * 8
    mov ecx, 0x200
    rep movsd
    mov dword [0x12000 + 2 * 4], 0x12006
    mov dword [0x12000 + 3 * 4], 0x13007
    lidt [far_idt]
    FAULT_BEGIN
    mov ax, 0x1000
    mov es, ax
    FAULT_END 14, 0
    EXPECT dword [V_CR2], 0x402ff8
    FAULT_BEGIN
    int3 ; benign, then #PF
    FAULT_END 14, 0
    EXPECT dword [V_CR2], 0x402fa8
    lidt [idtr]
    ; #PF and the stack is not there either: double fault through a task gate is task.asm's

    TEST 7 ; limit before page, alignment of privilege
    DESC GDT + 0x48, 0x400000, 0xfff, 0x4093
    FAULT_BEGIN
    mov ax, 0x48
    mov es, ax
    mov al, [es:0x1000]
    FAULT_END 13, 0
    FAULT_BEGIN
    mov ax, 0x48
    mov es, ax
    mov al, [es:0xfff]
    FAULT_END 14, 0
    EXPECT dword [V_CR2], 0x400fff

    TEST 8 ; 15 bytes are an instruction, 16 are none
    db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
    FAULT_BEGIN
.long:
    db 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66, 0x90
    FAULT_END 13, 0
    EXPECT dword [V_EIP], .long
    FAULT_BEGIN
    db 0xf0, 0xa1, 0, 0, 0, 0 ; lock mov eax, [0]
    FAULT_END 6
    FAULT_BEGIN
    db 0xf0, 0x01, 0xc0 ; lock add eax, eax
    FAULT_END 6

    TEST 9 ; a faulting instruction leaves everything as it was
    DESC GDT + 0x50, 0x8000, 0xff, 0x4093
    mov ax, 0x50
    mov es, ax
    mov ecx, 0x12345
    mov edi, 0x100
    FAULT_BEGIN
    mov eax, 0x11223344
    stc
    stosd
    FAULT_END 13, 0
    EXPECT edi, 0x100
    EXPECT ecx, 0x12345
    EXPECT dword [V_EAX], 0x11223344
    test dword [V_EFL], 1
    FAILIF z
    mov ecx, 3
    mov edi, 0xf8
    FAULT_BEGIN
    rep stosd ; the third one faults
    FAULT_END 13, 0
    EXPECT edi, 0x100
    EXPECT ecx, 1
    mov ax, S_DATA
    mov es, ax

    TEST 10 ; fetch beyond CS
    DESC GDT + 0x58, 0xf0000, .edge - $$ + 1, 0x409b
    FAULT_BEGIN
    jmp 0x58:(.edge - $$)
.edge:
    mov eax, 1 ; its last bytes are outside
    FAULT_END 13, 0
    EXPECT dword [V_EIP], .edge - $$
    EXPECT dword [V_CS], 0x58

    TEST 11 ; SS faults while pushing use #SS(0)
    DESC GDT + 0x60, 0x8000, 0xff, 0x4093
    FAULT_BEGIN
    mov edx, esp
    mov ax, 0x60
    mov ss, ax
    mov esp, 0x80
    lea ebp, [esp + 0x80]
    mov al, [ebp]
    FAULT_END 12, 0
    jmp pass
short_idt:
    dw 0x32 * 8 + 7
    dd IDT
far_idt:
    dw 0x7ff
    dd 0x403000 - 14 * 8
ROM_END
