; Boot ROM for -kernel with a Multiboot kernel: does what the script from machine/multiboot.c says (copy
; pieces by fw_cfg DMA), asks the BIOS for the memory map and, if the kernel wants one, a graphics mode,
; and enters the kernel in protected mode.  The last byte is the checksum, set by machine/multiboot.c.
; Documents: Multiboot Specification 0.6.96, "Machine state" and "Boot information format"; BIOS Boot
; Specification 1.01, "BEV"; VESA BIOS Extension 3.0.
bits 16
cpu 386
org 0
ROM_LEN     equ 2048
SCRIPT      equ 0x7100          ; struct of machine/multiboot.c, "the script"
S_COUNT     equ SCRIPT + 0
S_ENTRY     equ SCRIPT + 4
S_MBI       equ SCRIPT + 8
S_MMAP      equ SCRIPT + 12
S_MMAP_MAX  equ SCRIPT + 16
S_VBE       equ SCRIPT + 20
S_WIDTH     equ SCRIPT + 24
S_HEIGHT    equ SCRIPT + 28
S_DEPTH     equ SCRIPT + 32
S_CONTROL   equ SCRIPT + 36
S_MODE      equ SCRIPT + 40
S_SIZE      equ SCRIPT + 44
S_STEPS     equ SCRIPT + 48
STEP        equ 20              ; selector, bytes to skip, bytes to read, where to, zeros behind
BEST        equ 0x7080          ; best mode so far, and its score
SCORE       equ 0x7082
GDTR        equ 0x7088

%define PRODUCT 'Multiboot kernel from the command line'
%include "rom_head.inc"
%include "fw_dma.inc"

boot:
    cli
    cld
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x6f00
    ; the script: its length first, then all of it
    mov ax, 0x18
    mov ecx, S_STEPS - SCRIPT
    mov edi, SCRIPT
    call fw_read
    mov ax, 0x18
    mov ecx, [S_SIZE]
    mov edi, SCRIPT
    call fw_read
    call steps
    call memory
    cmp dword [S_VBE], 0
    je .enter
    call graphics
.enter:
    jmp enter

; every step: select, skip, read, zeros
steps:
    mov si, S_STEPS
    mov bp, [S_COUNT]
.next:
    test bp, bp
    jz .done
    movzx eax, word [si]
    shl eax, 16
    mov al, FW_SELECT | FW_SKIP
    mov ecx, [si + 4]
    xor edi, edi
    call fw_do
    mov eax, FW_READ
    mov ecx, [si + 8]
    mov edi, [si + 12]
    call fw_do
    mov ecx, [si + 16]
    jecxz .filled
    mov edi, [si + 12]
    add edi, [si + 8]
    mov ax, 0x1f                ; an item without data reads as zeros
    call fw_read
.filled:
    add si, STEP
    dec bp
    jmp .next
.done:
    ret

; es:di = physical address eax
point:
    push eax
    shr eax, 4
    mov es, ax
    pop eax
    mov di, ax
    and di, 15
    ret

; INT 15h E820 into the memory map, each entry with its size in front; mem_lower from INT 12h, mem_upper
; from the entry at 1 MB
memory:
    xor ebx, ebx
    xor bp, bp
.next:
    movzx eax, bp
    cmp eax, [S_MMAP_MAX]
    jae .done
    imul eax, eax, 24
    add eax, [S_MMAP]
    call point
    mov dword [es:di], 20
    add di, 4
    push bp
    push di
    mov eax, 0xe820
    mov edx, 0x534d4150         ; 'SMAP'
    mov ecx, 20
    int 0x15
    pop di
    pop bp
    jc .done
    cmp eax, 0x534d4150
    jne .done
    inc bp
    cmp dword [es:di + 4], 0
    jne .other
    cmp dword [es:di], 0x100000
    jne .other
    cmp dword [es:di + 16], 1
    jne .other
    mov eax, [es:di + 8]
    mov edx, [es:di + 12]
    shrd eax, edx, 10
    push es
    push di
    push eax
    mov eax, [S_MBI]
    call point
    pop eax
    mov [es:di + 8], eax        ; mem_upper, KB
    pop di
    pop es
.other:
    test ebx, ebx
    jnz .next
.done:
    push bp
    int 0x12
    pop bp
    movzx ecx, ax
    mov eax, [S_MBI]
    call point
    mov [es:di + 4], ecx        ; mem_lower, KB
    or dword [es:di], 1
    movzx eax, bp
    test eax, eax
    jz .none
    imul eax, eax, 24
    mov [es:di + 44], eax
    mov eax, [S_MMAP]
    mov [es:di + 48], eax
    or dword [es:di], 1 << 6
.none:
    ret

; The mode that fits best: same size needed, same depth wished; 0 is no preference.
graphics:
    mov dword [BEST], 0
    mov eax, [S_CONTROL]
    call point
    mov dword [es:di], 'VBE2'
    mov ax, 0x4f00
    int 0x10
    cmp ax, 0x004f
    jne .out
    lfs si, [es:di + 14]        ; the mode list
    mov bp, 512                 ; it ends, or the BIOS is damaged
.next:
    mov cx, [fs:si]
    add si, 2
    cmp cx, 0xffff
    je .chosen
    dec bp
    jz .chosen
    call info
    jne .next
    mov ax, [es:di]
    and ax, 0x99
    cmp ax, 0x99                ; supported, color, graphics, linear
    jne .next
    mov dl, 4                   ; score
    mov eax, [S_WIDTH]
    test eax, eax
    jz .height
    cmp ax, [es:di + 0x12]
    jne .next
.height:
    mov eax, [S_HEIGHT]
    test eax, eax
    jz .depth
    cmp ax, [es:di + 0x14]
    jne .next
.depth:
    mov eax, [S_DEPTH]
    test eax, eax
    jnz .wish
    mov al, [es:di + 0x19]      ; none: the deepest
    add dl, al
    jmp .score
.wish:
    cmp al, [es:di + 0x19]
    jne .score
    add dl, 64
.score:
    cmp dl, [SCORE]
    jbe .next
    mov [SCORE], dl
    mov [BEST], cx
    jmp .next
.chosen:
    cmp byte [SCORE], 0
    je .out
    mov bx, [BEST]
    or bx, 0x4000
    mov ax, 0x4f02
    push bx
    int 0x10
    pop bx
    cmp ax, 0x004f
    jne .out
    mov cx, bx
    and cx, 0x3fff
    call info
    ; tell the kernel: VBE and framebuffer
    push es
    pop gs
    mov si, di                  ; gs:si = mode information
    mov eax, [S_MBI]
    call point
    mov eax, [S_CONTROL]
    mov [es:di + 72], eax
    mov eax, [S_MODE]
    mov [es:di + 76], eax
    mov [es:di + 80], bx
    mov eax, [gs:si + 0x28]     ; PhysBasePtr
    mov [es:di + 88], eax
    movzx eax, word [gs:si + 0x10]
    mov [es:di + 96], eax
    movzx eax, word [gs:si + 0x12]
    mov [es:di + 100], eax
    movzx eax, word [gs:si + 0x14]
    mov [es:di + 104], eax
    mov al, [gs:si + 0x19]
    mov [es:di + 108], al
    or dword [es:di], 1 << 11
    cmp al, 8
    jbe .out                    ; the palette is the kernel's business: no framebuffer item
    mov byte [es:di + 109], 1
    mov al, [gs:si + 0x20]      ; position and size of red, green, blue
    mov ah, [gs:si + 0x1f]
    mov [es:di + 110], ax
    mov al, [gs:si + 0x22]
    mov ah, [gs:si + 0x21]
    mov [es:di + 112], ax
    mov al, [gs:si + 0x24]
    mov ah, [gs:si + 0x23]
    mov [es:di + 114], ax
    or dword [es:di], 1 << 12
    push es
    push di
    mov ax, 0x4f0a              ; the protected-mode interface, if there is one
    xor bl, bl
    int 0x10
    mov bx, es
    mov dx, di
    pop di
    pop es
    cmp ax, 0x004f
    jne .out
    mov [es:di + 82], bx
    mov [es:di + 84], dx
    mov [es:di + 86], cx
.out:
    ret

; mode information of mode cx to es:di; ZF: fine
info:
    mov eax, [S_MODE]
    call point
    push cx
    mov ax, 0x4f01
    int 0x10
    pop cx
    cmp ax, 0x004f
    ret

enter:
    cli
    in al, 0x92
    or al, 2                    ; A20, and no reset
    and al, 0xfe
    out 0x92, al
    mov ebx, [S_MBI]
    mov ecx, [S_ENTRY]
    xor eax, eax
    mov ax, cs
    shl eax, 4
    lea edx, [eax + gdt]
    mov word [GDTR], gdt.end - gdt - 1
    mov [GDTR + 2], edx
    lea edx, [eax + flat]
    push dword 8
    push edx
    o32 lgdt [GDTR]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    mov ax, 16
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    movzx esp, sp
    o32 retf
bits 32
flat:
    xor ebp, ebp
    xor esi, esi
    xor edi, edi
    xor edx, edx
    mov eax, 0x2badb002
    jmp ecx

    align 8, db 0
gdt:
    dq 0
    dq 0x00cf9a000000ffff       ; 08h: code, flat
    dq 0x00cf92000000ffff       ; 10h: data, flat
.end:
    times ROM_LEN - ($ - $$) db 0
