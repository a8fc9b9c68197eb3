; Hardware task switches: JMP, CALL, IRET, gates, every fault on the way.
%include "common.inc"
TSSB equ 0x5000
TSSC equ 0x5100 ; the task that takes #TS and friends
TSSD equ 0x5200 ; 16-bit
S_B  equ 0x40
S_C  equ 0x48
S_GB equ 0x50 ; task gate to B
S_D  equ 0x58
S_LDT equ 0x60
%define BUSY_A byte [GDT + S_TSS + 5]
%define BUSY_B byte [GDT + S_B + 5]
%define BUSY_C byte [GDT + S_C + 5]
PROTECTED_MODE
    bits 32
%macro TASKGATE 2 ; IDT vector, selector
    mov word [IDT + %1 * 8 + 2], %2
    mov word [IDT + %1 * 8 + 4], 0x8500
%endmacro
; B with entry %1 and everything in order
%macro FRESH_B 1
    mov eax, %1
    call fresh_b
%endmacro
; JMP to B must end in task C with this vector's error code, %2 as EIP of B
%macro BAD_TASK 2 ; error code, vector
    mov dword [V_TMP], 0
    call arm_c
    jmp S_B:0
    EXPECT dword [V_TMP], 0xc0de
    EXPECT dword [V_ERR], %1
    EXPECT dword [V_VEC], %2
%endmacro
tests:
    DESC GDT + S_B, TSSB, 0x67, 0x0089
    DESC GDT + S_C, TSSC, 0x67, 0x0089
    DESC GDT + S_D, TSSD, 0x2b, 0x0081
    DESC GDT + S_LDT, 0x5800, 0xf, 0x0082
    mov dword [GDT + S_GB], S_B << 16
    mov dword [GDT + S_GB + 4], 0x8500

    TEST 1 ; JMP
    FRESH_B b_jmp
    mov ebx, 0x1234
    mov esi, 0x5678
    push dword 0x2
    popfd
    jmp S_B:0x12345678
    EXPECT ebx, 0x1234
    EXPECT esi, 0x5678
    EXPECT dword [V_TMP], 0xb0b
    EXPECT BUSY_A, 0x8b
    EXPECT BUSY_B, 0x89
    str ax
    EXPECT ax, S_TSS
    mov eax, cr0
    test al, 8 ; TS
    FAILIF z
    clts
    EXPECT dword [TSSB + 0x28], 0xbbbb ; EAX saved
    EXPECT dword [TSSB + 0x20], b_jmp_end
    EXPECT word [TSSB], 0 ; no back link

    TEST 2 ; CALL and IRET
    FRESH_B b_call
    mov dword [V_TMP], 0
    call S_B:0
    EXPECT dword [V_TMP], 0xca11
    EXPECT BUSY_A, 0x8b
    EXPECT BUSY_B, 0x89
    EXPECT word [TSSB], S_TSS
    test dword [TSSB + 0x24], 0x4000 ; IRET clears NT in the saved image
    FAILIF nz
    pushfd
    pop eax
    test eax, 0x4000
    FAILIF nz
    EXPECT dword [TSSB + 0x20], b_call_end
    mov dword [V_TMP], 0
    call S_GB:0 ; B goes on behind its IRET and jumps back up: through a gate this time
    EXPECT dword [V_TMP], 0xca11

    TEST 3 ; checks of the old task
    FAULT_BEGIN
    jmp S_TSS:0 ; busy
    FAULT_END 13, S_TSS
    mov word [GDT + S_B], 0x66
    FAULT_BEGIN
    jmp S_B:0
    FAULT_END 10, S_B
    mov word [GDT + S_B], 0x67
    and BUSY_B, 0x7f
    FAULT_BEGIN
    jmp S_B:0
    FAULT_END 11, S_B
    FAULT_BEGIN
    jmp S_GB:0
    FAULT_END 11, S_B
    or BUSY_B, 0x80
    and byte [GDT + S_GB + 5], 0x7f
    FAULT_BEGIN
    jmp S_GB:0
    FAULT_END 11, S_GB
    or byte [GDT + S_GB + 5], 0x80
    mov word [GDT + S_GB + 2], S_DATA
    FAULT_BEGIN
    jmp S_GB:0
    FAULT_END 13, S_DATA
    mov word [GDT + S_GB + 2], S_B | 4 ; in the LDT
    FAULT_BEGIN
    jmp S_GB:0
    FAULT_END 13, S_B | 4
    mov word [GDT + S_GB + 2], S_B
    FAULT_BEGIN
    USER u_tss ; DPL 0
    FAULT_END 13, S_B
    EXPECT BUSY_A, 0x8b
    EXPECT BUSY_B, 0x89

    TEST 4 ; IRET with a bad back link
    mov word [TSS], S_DATA
    FAULT_BEGIN
    push dword 0x4002
    popfd
    iretd
    FAULT_END 10, S_DATA
    mov word [TSS], S_B ; not busy
    FAULT_BEGIN
    push dword 0x4002
    popfd
    iretd
    FAULT_END 10, S_B
    mov word [TSS], 0x1000
    FAULT_BEGIN
    push dword 0x4002
    popfd
    iretd
    FAULT_END 10, 0x1000
    push dword 2
    popfd

    mov ax, S_DATA
    mov es, ax
    TEST 5 ; faults in the new task
    TASKGATE 10, S_C
    TASKGATE 11, S_C
    TASKGATE 12, S_C
    TASKGATE 13, S_C
    FRESH_B b_never
    mov word [TSSB + 0x4c], 0 ; CS
    BAD_TASK 0, 10
    FRESH_B b_never
    mov word [TSSB + 0x4c], S_DATA
    BAD_TASK S_DATA, 10
    FRESH_B b_never
    mov word [TSSB + 0x4c], S_CODE | 3 ; DPL 0, RPL 3
    mov word [TSSB + 0x48], S_UDATA
    mov word [TSSB + 0x50], S_UDATA
    mov word [TSSB + 0x54], S_UDATA
    BAD_TASK S_CODE, 10
    FRESH_B b_never
    mov word [TSSB + 0x50], 0 ; SS
    BAD_TASK 0, 10
    FRESH_B b_never
    mov word [TSSB + 0x50], S_CODE
    BAD_TASK S_CODE, 10
    FRESH_B b_never
    mov word [TSSB + 0x50], S_UDATA
    BAD_TASK S_UDATA & ~3, 10
    DESC GDT + 0x68, 0, 0xfffff, 0xc013
    FRESH_B b_never
    mov word [TSSB + 0x50], 0x68 ; not present
    BAD_TASK 0x68, 12
    FRESH_B b_never
    mov word [TSSB + 0x54], 0x68 ; DS
    BAD_TASK 0x68, 11
    FRESH_B b_never
    mov word [TSSB + 0x48], 0x1000 ; ES
    BAD_TASK 0x1000, 10
    FRESH_B b_never
    mov word [TSSB + 0x58], S_TSS ; FS
    BAD_TASK S_TSS, 10
    FRESH_B b_never
    mov word [TSSB + 0x60], S_DATA ; LDT
    BAD_TASK S_DATA, 10
    FRESH_B b_never
    mov word [TSSB + 0x60], 0x1000
    BAD_TASK 0x1000, 10
    and byte [GDT + S_LDT + 5], 0x7f
    FRESH_B b_never
    mov word [TSSB + 0x60], S_LDT
    BAD_TASK S_LDT, 10
    or byte [GDT + S_LDT + 5], 0x80
    DESC GDT + 0x70, 0, 0xff, 0x409b
    FRESH_B b_never
    mov word [TSSB + 0x4c], 0x70
    BAD_TASK 0, 13 ; EIP beyond the limit
    EXPECT word [TSSC], S_B ; C was called from B
    EXPECT dword [TSSB + 0x20], b_never

    TEST 6 ; LDT of a task
    DESC 0x5808, 0x12000, 0xff, 0x0093
    FRESH_B b_ldt
    mov word [TSSB + 0x60], S_LDT
    mov word [TSSB + 0x54], 0x0c
    mov dword [0x12010], 0x4c44544c
    mov dword [V_TMP], 0
    jmp S_B:0
    EXPECT dword [V_TMP], 0x4c44544c
    sldt ax
    EXPECT ax, 0

    TEST 7 ; interrupt task, error code, and back
    FRESH_B b_int
    TASKGATE 0x33, S_B
    mov dword [V_TMP], 0
    mov edi, 0x99
    int 0x33
    EXPECT edi, 0x99
    EXPECT dword [V_TMP], 0x1234
    EXPECT BUSY_B, 0x89
    FRESH_B b_err
    TASKGATE 13, S_B
    mov eax, 0x1000
.bad:
    mov es, ax
    EXPECT dword [V_TMP], 0x1000
    EXPECT ax, S_DATA ; the task mended EAX
    mov es, ax

    TEST 8 ; T bit
    FRESH_B b_trap
    mov word [TSSB + 0x64], 1
    mov dword [V_VEC], -1
    mov dword [V_RESUME], .tbit
    mov dword [V_RESP], STACK0 - 0x400
    xor eax, eax
    mov dr6, eax
    mov eax, 0x555 ; local enables go with a task switch
    mov dr7, eax
    jmp S_B:0
    jmp fail
.tbit:
    EXPECT dword [V_VEC], 1
    EXPECT dword [V_EIP], b_trap
    mov eax, dr6
    test eax, 0x8000
    FAILIF z
    mov eax, dr7
    EXPECT eax, 0x400
    str ax
    EXPECT ax, S_B
    mov dword [TSS + 0x20], .home
    mov byte [GDT + S_TSS + 5], 0x89
    jmp S_TSS:0
.home:
    mov dword [V_RESUME], unexpected

    TEST 9 ; 16-bit TSS
    mov word [TSSD + 0x0e], d16 - $$
    mov word [TSSD + 0x10], 2
    mov word [TSSD + 0x1a], 0x6000 ; SP
    mov word [TSSD + 0x22], S_DATA16
    mov word [TSSD + 0x24], S_CODE16
    mov word [TSSD + 0x26], S_DATA16
    mov word [TSSD + 0x28], S_DATA16
    mov word [TSSD + 0x14], 0x7777 ; CX
    mov dword [V_TMP], 0
    call S_D:0
    EXPECT dword [V_TMP], 0x7778
    EXPECT word [TSSD + 0x14], 0x7778
    EXPECT byte [GDT + S_D + 5], 0x81
    EXPECT byte [GDT + S_TSS + 5], 0x8b

    TEST 10 ; into virtual-8086 mode and out by an interrupt task
    FRESH_B v86 - $$
    mov dword [TSSB + 0x24], 0x20002
    mov word [TSSB + 0x4c], 0xf000
    mov word [TSSB + 0x50], 0x0600
    mov word [TSSB + 0x54], 0x0000
    mov word [TSSB + 0x48], 0x1111
    mov dword [TSSB + 0x38], 0x800
    mov dword [TSSB + 4], STACK0 - 0xc00
    mov word [TSSB + 8], S_DATA
    mov byte [IDT + 13 * 8 + 5], 0x8e
    mov eax, [IDT + 12 * 8]
    add eax, STUB_SIZE
    mov [IDT + 13 * 8], ax
    mov word [IDT + 13 * 8 + 2], S_CODE
    mov dword [V_RESUME], .out
    mov dword [V_TMP], 0
    jmp S_B:0
.out:
    EXPECT dword [V_VEC], 13
    EXPECT dword [V_TMP], 0x8086
    test dword [V_EFL], 0x20000
    FAILIF z
    jmp pass

; eax: entry
fresh_b:
    mov edi, TSSB
    push eax
    xor eax, eax
    mov ecx, 26
    rep stosd
    pop dword [TSSB + 0x20]
    mov dword [TSSB + 0x24], 2
    mov dword [TSSB + 0x38], 0x8000
    mov word [TSSB + 0x48], S_DATA
    mov word [TSSB + 0x4c], S_CODE
    mov word [TSSB + 0x50], S_DATA
    mov word [TSSB + 0x54], S_DATA
    mov byte [GDT + S_B + 5], 0x89
    ret
arm_c:
    mov edi, TSSC
    xor eax, eax
    mov ecx, 26
    rep stosd
    mov dword [TSSC + 0x20], c_entry
    mov dword [TSSC + 0x24], 2
    mov dword [TSSC + 0x38], 0x7800
    mov word [TSSC + 0x48], S_DATA
    mov word [TSSC + 0x4c], S_CODE
    mov word [TSSC + 0x50], S_DATA
    mov word [TSSC + 0x54], S_DATA
    mov byte [GDT + S_C + 5], 0x89
    ret
c_entry: ; the error code tells little: the vector is found by which segment it was
    pop dword [V_ERR]
    EXPECT word [TSSC], S_B
    EXPECT BUSY_B, 0x8b
    EXPECT BUSY_C, 0x8b
    pushfd
    pop eax
    test eax, 0x4000
    FAILIF z
    mov dword [V_VEC], 10
    mov eax, [V_ERR]
    cmp eax, 0x68
    jne .vec
    mov dword [V_VEC], 12
    cmp word [TSSB + 0x50], 0x68
    je .vec
    mov dword [V_VEC], 11
.vec:
    cmp word [TSSB + 0x4c], 0x70
    jne .known
    mov dword [V_VEC], 13
.known:
    mov dword [V_TMP], 0xc0de
    jmp S_TSS:0
b_jmp:
    EXPECT BUSY_A, 0x89
    EXPECT BUSY_B, 0x8b
    pushfd
    pop eax
    test eax, 0x4000
    FAILIF nz
    EXPECT dword [TSS + 0x34], 0x1234 ; EBX
    EXPECT dword [TSS + 0x40], 0x5678
    EXPECT word [TSS + 0x4c], S_CODE
    EXPECT word [TSS + 0x50], S_DATA
    mov dword [V_TMP], 0xb0b
    mov eax, 0xbbbb
    jmp S_TSS:0
b_jmp_end:
    jmp fail
b_call:
    EXPECT BUSY_A, 0x8b
    EXPECT BUSY_B, 0x8b
    pushfd
    pop eax
    test eax, 0x4000
    FAILIF z
    mov dword [V_TMP], 0xca11
    iretd
b_call_end:
    jmp b_call
b_never:
    jmp fail
b_ldt:
    mov eax, [0x10]
    mov [ss:V_TMP], eax
    jmp S_TSS:0
b_int:
    mov dword [V_TMP], 0x1234
    iretd
b_err:
    pop dword [V_TMP]
    mov dword [TSS + 0x28], S_DATA
    test dword [TSS + 0x24], 0x10000 ; RF in the saved flags of a fault
    FAILIF z
    iretd
b_trap:
    jmp fail
u_tss:
    jmp S_B:0
    bits 16
d16:
    inc cx
    mov [V_TMP], cx
    mov ax, cx
    pushf
    pop bx
    test bx, 0x4000
    jz .no
    iret
.no:
    hlt
v86:
    mov dword [V_TMP], 0x8086
    mov ax, es
    cmp ax, 0x1111
    jne .bad
    push ax
    hlt
.bad:
    mov dword [V_TMP], 0xbad
    hlt
ROM_END
