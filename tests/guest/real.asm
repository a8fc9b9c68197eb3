; Real mode: segments, wrap and limits, vector table, flags, big real mode, far transfers.
%include "common.inc"
    bits 16
%macro VECTOR 2
    mov word [%1 * 4], OFS(%2)
    mov word [%1 * 4 + 2], 0xf000
%endmacro
%macro F16 1
    j%1 fail16
%endmacro
%macro E16 2
    cmp %1, %2
    jne fail16
%endmacro
; what stands between must raise vector %1
%macro R_BEGIN 0
    %push rfault
    mov word [V_VEC], 0xffff
    mov word [V_RESUME], OFS(%$after)
    mov [V_RESP], sp
%endmacro
%macro R_END 1
    jmp fail16
%$after:
    mov word [V_RESUME], OFS(fail16)
    cmp word [V_VEC], %1
    jne fail16
    %pop
%endmacro
start:
    cli
    cld
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7000
    TEST 1 ; reset state is still to be seen
    mov eax, cr0
    and eax, ~0x60000010
    F16 nz
    VECTOR 0, v0
    VECTOR 4, v4
    VECTOR 5, v5
    VECTOR 6, v6
    VECTOR 12, v12
    VECTOR 13, v13
    VECTOR 8, v8
    VECTOR 0x40, v40

    TEST 2 ; segment arithmetic
    mov ax, 0x2000
    mov es, ax
    mov byte [es:0x10], 0x5a
    mov ax, 0x2001
    mov es, ax
    E16 byte [es:0], 0x5a
    mov ax, 0x1001
    mov es, ax
    mov bx, 0xfff0
    E16 byte [es:bx + 0x10], 0 ; offsets wrap at 64 K
    mov byte [es:0], 0x77
    E16 byte [es:bx + 0x10], 0x77
    mov si, 0xffff
    mov di, 2
    E16 byte [es:bx + di + 0xe], 0x77
    mov ax, 0xffff ; FFFF:0010 is 1 MB
    mov es, ax
    mov byte [es:0x10], 0x3c
    push word [0]
    mov byte [0], 0x3d
    E16 byte [es:0x10], 0x3c
    pop word [0]

    TEST 3 ; limits
    mov bx, 0xffff
    R_BEGIN
    mov ax, [bx]
    R_END 13
    R_BEGIN
    mov [bx], ax
    R_END 13
    mov bx, 0xfffd
    R_BEGIN
    mov eax, [bx]
    R_END 13
    mov ebx, 0x10000
    R_BEGIN
    mov al, [ebx]
    R_END 13
    R_BEGIN
    mov bp, 0xffff
    mov ax, [bp]
    R_END 12
    mov byte [cs:bx], 0 ; CS can be written (here it is ROM)

    TEST 4 ; stack wraps between pushes, not within one
    mov [V_TMP], sp
    mov ax, 0x3000
    mov ss, ax
    xor sp, sp
    push word 0x1234
    E16 sp, 0xfffe
    pop ax
    E16 sp, 0
    E16 ax, 0x1234
    xor ax, ax
    mov ss, ax
    mov sp, [V_TMP]

    TEST 5 ; INT and IRET
    push word 0x7202 ; NT, IOPL 3, IF
    popf
    int 0x40
.back:
    pushf
    pop ax
    and ax, 0x7200
    E16 ax, 0x7200
    E16 word [V_EIP], OFS(.back)
    E16 word [V_CS], 0xf000
    test word [V_EFL], 0x200
    F16 z
    test word [V_HEFL], 0x300
    F16 nz
    E16 word [V_HESP], 0x7000 - 6
    push word 2
    popf
    pushfd
    pop eax
    or eax, 0x40000 ; AC is cleared on the way in
    push eax
    popfd
    int 0x40
    test dword [V_HEFL], 0x40000
    F16 nz
    pushfd
    pop eax
    and eax, ~0x40000
    push eax
    popfd

    TEST 6 ; exceptions
    R_BEGIN
    xor cx, cx
.div:
    div cx
    R_END 0
    E16 word [V_EIP], OFS(.div)
    R_BEGIN
    ud2
    R_END 6
    R_BEGIN
    lldt ax
    R_END 6
    R_BEGIN
    sldt ax
    R_END 6
    R_BEGIN
    lar ax, bx
    R_END 6
    R_BEGIN
    arpl ax, bx
    R_END 6
    mov al, 0x7f
    inc al
    R_BEGIN
    into
    R_END 4
    mov dword [V_TMP], 0x00050001
    R_BEGIN
    mov ax, 6
    bound ax, [V_TMP]
    R_END 5

    TEST 7 ; vector table elsewhere, and too short
    mov si, 0
    mov di, 0x600
    mov cx, 0x104
    push es
    push ds
    pop es
    rep movsb
    pop es
    mov word [0x600 + 0x40 * 4], OFS(v41)
    lidt [cs:OFS(idt600)]
    mov word [V_TMP], 0
    int 0x40
    E16 word [V_TMP], 0x41
    lidt [cs:OFS(idt_short)]
    R_BEGIN
    int 0x40 ; outside: #GP
    R_END 13
    lidt [cs:OFS(idt_real)]

    TEST 8 ; far transfers
    call 0xf000:OFS(far1)
    E16 bx, 0xfa51
    push cs
    push word OFS(.ret)
    push word 0 ; RETF n takes this away
    add sp, 2
    retf
.ret:
    mov word [V_TMP], OFS(far2)
    mov word [V_TMP + 2], 0xf000
    push word 0x9999
    call far [V_TMP]
    E16 bx, 0xfa52
    E16 sp, 0x7000
    push dword 0xf000
    push dword OFS(.ret32)
    o32 retf
.ret32:
    R_BEGIN
    jmp dword 0xf000:0x12345
    R_END 13
    lds si, [V_TMP]
    mov ax, ds
    E16 ax, 0xf000
    xor ax, ax
    mov ds, ax

    TEST 9 ; big real mode
    lgdt [cs:OFS(big_gdt)]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    mov bx, 8
    mov es, bx
    and al, 0xfe
    mov cr0, eax
    mov dword [dword es:0x180000], 0x600dbeef
    mov bx, 0x1000
    mov es, bx ; the limit stays
    mov ebx, 0x170000
    E16 dword [es:ebx], 0x600dbeef
    mov ebx, 0x170000
    R_BEGIN
    mov al, [ebx] ; DS kept its own
    R_END 13

    TEST 10 ; 32-bit operands and addresses
    mov eax, 0x12345678
    push eax
    pop dx
    pop cx
    E16 dx, 0x5678
    E16 cx, 0x1234
    mov ebx, 0x100
    mov ecx, 4
    mov dword [0x110], 0xcafef00d
    E16 dword [ebx + ecx * 4], 0xcafef00d
    pushfd
    pop eax
    test eax, 0x30000
    F16 nz

    TEST 11 ; LMSW enters protected mode but does not leave it
    smsw ax
    or ax, 1
    lgdt [cs:OFS(big_gdt)]
    lmsw ax
    and ax, 0xfffe
    lmsw ax
    mov eax, cr0
    test al, 1
    F16 z
    and al, 0xfe
    mov cr0, eax
    mov eax, cr0
    test al, 1
    F16 nz
    jmp pass16

%assign n 0
%rep 16
v %+ n:
    push word n
    jmp near rhandler
  %assign n n + 1
%endrep
rhandler:
    push ds
    push ax
    xor ax, ax
    mov ds, ax
    mov bp, sp
    mov ax, [bp + 4]
    mov [V_VEC], ax
    mov ax, [bp + 6]
    mov [V_EIP], ax
    mov sp, [V_RESP]
    jmp [V_RESUME]
v40:
    mov [V_HESP], sp
    mov bp, sp
    push ax
    mov ax, [bp]
    mov [V_EIP], ax
    mov ax, [bp + 2]
    mov [V_CS], ax
    mov ax, [bp + 4]
    mov [V_EFL], ax
    pushfd
    pop dword [V_HEFL]
    pop ax
    iret
v41:
    mov word [V_TMP], 0x41
    iret
far1:
    mov bx, 0xfa51
    retf
far2:
    mov bx, 0xfa52
    retf 2
idt600:
    dw 0x3ff
    dd 0x600
idt_short:
    dw 0xff
    dd 0x600
idt_real:
    dw 0x3ff
    dd 0
big_gdt:
    dw 15
    dd 0xf0000 + OFS(big_table)
    align 8
big_table:
    dq 0
    dq 0x008f93000000ffff
ROM_END
