; Protected mode: entry, segment load checks, limits, expand-down, selector probes.
%include "common.inc"
PROTECTED_MODE
    bits 32
tests:
    DESC GDT + 0x40, 0x12000, 0x0fff, 0x0093      ; 40 data, byte limit FFF
    DESC GDT + 0x48, 0x12000, 0x0fff, 0x0097      ; 48 expand-down, 16-bit: offsets 1000..FFFF
    DESC GDT + 0x50, 0x12000, 0x0fff, 0x0091      ; 50 read-only
    DESC GDT + 0x58, 0x12000, 0x0fff, 0x0013      ; 58 not present
    DESC GDT + 0x60, 0xf0000, 0xffff, 0x4099      ; 60 execute-only code
    DESC GDT + 0x68, 0xf0000, 0xffff, 0x409e      ; 68 conforming readable code, not accessed
    DESC GDT + 0x70, 0x12000, 0x0001, 0xc093      ; 70 page limit: 1FFF
    DESC GDT + 0x78, 0x12000, 0x0fff, 0x4097      ; 78 expand-down, 32-bit: 1000..FFFFFFFF
    DESC GDT + 0x80, 0x16000, 0x000f, 0x0082      ; 80 LDT with two entries
    DESC GDT + 0x88, 0x16000, 0x0fff, 0x0092      ; 88 data, not accessed
    DESC GDT + 0x90, 0x16000, 0x0fff, 0x00f3      ; 90 data, DPL 3
    DESC 0x16008, 0x12000, 0x00ff, 0x0093         ; LDT entry 1

    TEST 1 ; byte limit
    mov ax, 0x40
    mov es, ax
    mov dword [es:0xffc], 0x12345678
    cmp dword [0x12ffc], 0x12345678
    FAILIF ne
    FAULT_BEGIN
    mov eax, [es:0xffd]
    FAULT_END 13, 0
    FAULT_BEGIN
    mov al, [es:0x1000]
    FAULT_END 13, 0
    FAULT_BEGIN
    mov word [es:0xfff], ax
    FAULT_END 13, 0

    TEST 2 ; expand-down
    mov ax, 0x48
    mov es, ax
    FAULT_BEGIN
    mov ax, 0x48
    mov es, ax
    mov al, [es:0xfff]
    FAULT_END 13, 0
    mov ax, 0x48
    mov es, ax
    mov al, [es:0x1000]
    mov ax, [es:0xfffe]
    FAULT_BEGIN
    mov ax, 0x48
    mov es, ax
    mov ax, [es:0xffff]
    FAULT_END 13, 0
    mov ax, 0x78
    mov es, ax
    mov al, [es:0x100000]
    FAULT_BEGIN
    mov ax, 0x78
    mov es, ax
    mov al, [es:0]
    FAULT_END 13, 0

    TEST 3 ; read-only, execute-only
    FAULT_BEGIN
    mov ax, 0x50
    mov es, ax
    mov byte [es:0], 1
    FAULT_END 13, 0
    mov ax, 0x50
    mov es, ax
    mov al, [es:0]
    FAULT_BEGIN
    mov ax, 0x60
    mov es, ax
    FAULT_END 13, 0x60
    FAULT_BEGIN
    mov ax, 0x50
    mov ss, ax
    FAULT_END 13, 0x50
    FAULT_BEGIN
    mov byte [cs:0x12000], 1
    FAULT_END 13, 0

    TEST 4 ; presence, table limits, null
    FAULT_BEGIN
    mov ax, 0x58
    mov es, ax
    FAULT_END 11, 0x58
    FAULT_BEGIN
    mov ax, 0x58
    mov ss, ax
    FAULT_END 12, 0x58
    FAULT_BEGIN
    mov ax, 0x1000 ; GDT limit is FFF
    mov es, ax
    FAULT_END 13, 0x1000
    FAULT_BEGIN
    xor ax, ax
    mov ss, ax
    FAULT_END 13, 0
    FAULT_BEGIN
    mov ax, 3
    mov fs, ax
    mov al, [fs:0]
    FAULT_END 13, 0
    mov ax, fs
    EXPECT ax, 3
    FAULT_BEGIN
    mov ax, 0x0c ; no LDT yet
    mov es, ax
    FAULT_END 13, 0x0c

    TEST 5 ; RPL and DPL
    FAULT_BEGIN
    mov ax, S_DATA | 3
    mov es, ax
    FAULT_END 13, S_DATA
    FAULT_BEGIN
    mov ax, S_DATA | 3
    mov ss, ax
    FAULT_END 13, S_DATA
    FAULT_BEGIN
    mov ax, S_UDATA
    mov ss, ax
    FAULT_END 13, S_UDATA & ~3
    mov ax, 0x93
    mov es, ax
    mov ax, 0x6b ; conforming code ignores RPL
    mov es, ax

    TEST 6 ; accessed bits
    cmp byte [GDT + 0x6d], 0x9f
    FAILIF ne
    cmp byte [GDT + 0x8d], 0x92
    FAILIF ne
    mov ax, 0x88
    mov gs, ax
    cmp byte [GDT + 0x8d], 0x93
    FAILIF ne

    TEST 7 ; LDT
    FAULT_BEGIN
    mov ax, 0x40
    lldt ax
    FAULT_END 13, 0x40
    mov ax, 0x80
    lldt ax
    mov ax, 0x0c
    mov es, ax
    mov al, [es:0xff]
    FAULT_BEGIN
    mov al, [es:0x100]
    FAULT_END 13, 0
    FAULT_BEGIN
    mov ax, 0x14
    mov es, ax
    FAULT_END 13, 0x14
    sldt bx
    EXPECT bx, 0x80
    xor ax, ax
    lldt ax
    FAULT_BEGIN
    mov ax, 0x0c
    mov es, ax
    FAULT_END 13, 0x0c

    mov ax, S_DATA
    mov es, ax
    mov fs, ax
    TEST 8 ; LAR LSL VERR VERW ARPL
    mov cx, 0x70
    lsl eax, cx
    FAILIF nz
    EXPECT eax, 0x1fff
    lar eax, cx
    FAILIF nz
    and eax, 0xf0ff00
    EXPECT eax, 0xc09300
    mov cx, 0x58 ; not present: LSL does not mind
    lsl eax, cx
    FAILIF nz
    EXPECT eax, 0xfff
    xor cx, cx
    lar eax, cx
    FAILIF z
    mov cx, 0x2000
    lar eax, cx
    FAILIF z
    mov cx, 0x50
    verr cx
    FAILIF nz
    verw cx
    FAILIF z
    mov cx, 0x60
    verr cx
    FAILIF z
    mov cx, 0x43
    verr cx
    FAILIF z
    mov cx, S_TSS
    verr cx
    FAILIF z
    lsl eax, cx
    FAILIF nz
    EXPECT eax, 0x2fff
    mov ax, 0x50
    mov cx, 3
    arpl ax, cx
    FAILIF nz
    EXPECT ax, 0x53
    arpl ax, cx
    FAILIF z

    TEST 9 ; far jump and call checks
    FAULT_BEGIN
    jmp 0x40:0
    FAULT_END 13, 0x40
    FAULT_BEGIN
    jmp 0:0
    FAULT_END 13, 0
    FAULT_BEGIN
    jmp S_UCODE:0
    FAULT_END 13, S_UCODE & ~3
    FAULT_BEGIN
    jmp 0x60:0x10000 ; beyond the limit
    FAULT_END 13, 0
    DESC GDT + 0x98, 0xf0000, 0xffff, 0x401b
    FAULT_BEGIN
    jmp 0x98:0
    FAULT_END 11, 0x98
    FAULT_BEGIN
    jmp 0x80:0 ; an LDT
    FAULT_END 13, 0x80
    call 0x68:(.conf - $$)
    jmp .after
.conf:
    mov ax, cs
    EXPECT ax, 0x68 ; conforming, RPL = CPL
    retf
.after:

    TEST 10 ; 16-bit code and stack
    mov edx, esp
    mov ax, S_DATA16
    mov ss, ax
    mov esp, 0x12348000
    call S_CODE16:(.c16 - $$)
    mov ax, S_DATA
    mov ecx, esp
    mov ss, ax
    mov esp, edx
    EXPECT ecx, 0x12348000
    jmp .after16
    bits 16
.c16:
    pushad
    popad
    push word 0x1122
    pop ax
    o32 retf
    bits 32
.after16:

    TEST 11 ; stack faults are #SS
    FAULT_BEGIN
    mov ax, 0x40
    mov ss, ax
    mov esp, 0x800
    mov ebp, 0xffe
    leave
    FAULT_END 12, 0
    FAULT_BEGIN
    mov ax, 0x40
    mov ss, ax
    mov esp, 0x800
    mov ebp, 0x1000
    mov al, [ebp]
    FAULT_END 12, 0

    TEST 12 ; table registers
    sgdt [V_TMP]
    EXPECT word [V_TMP], 0xfff
    EXPECT dword [V_TMP + 2], GDT
    sidt [V_TMP]
    EXPECT word [V_TMP], 0x7ff
    EXPECT dword [V_TMP + 2], IDT
    str ax
    EXPECT ax, S_TSS
    FAULT_BEGIN
    mov ax, S_TSS ; busy
    ltr ax
    FAULT_END 13, S_TSS
    FAULT_BEGIN
    xor ax, ax
    ltr ax
    FAULT_END 13, 0
    smsw eax
    mov ecx, cr0
    EXPECT eax, ecx

    TEST 13 ; CR checks
    FAULT_BEGIN
    mov eax, 0x80000010 ; PG without PE
    mov cr0, eax
    FAULT_END 13, 0
    FAULT_BEGIN
    mov eax, cr0
    or eax, 0x20000000 ; NW without CD
    and eax, ~0x40000000
    mov cr0, eax
    FAULT_END 13, 0
    FAULT_BEGIN
    mov eax, cr4
    or eax, 0x80000000
    mov cr4, eax
    FAULT_END 13, 0
    FAULT_BEGIN
    mov ecx, 0x12345678
    rdmsr
    FAULT_END 13, 0
    jmp pass
ROM_END
