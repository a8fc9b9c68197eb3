; Boot ROM for -kernel: copies the pieces that machine/linux.c put into fw_cfg into memory by DMA and
; enters the kernel's real-mode code.  Assembled by nasm at build time; the last byte is the checksum,
; set by machine/linux.c.
; Documents: Plug and Play BIOS Specification 1.0A, "Option ROM Header"; BIOS Boot Specification 1.01, "BEV";
; QEMU docs/specs/fw_cfg.
bits 16
cpu 386
org 0
ROM_LEN     equ 1024
VALUE       equ 0x7020          ; a word to read into, in low memory

%define PRODUCT 'Linux from the command line'
%include "rom_head.inc"

; eax = the 32-bit item `ax`
item:
    mov edi, VALUE
    mov ecx, 4
    call fw_read
    mov eax, [VALUE]
    ret

%include "fw_dma.inc"

; bx: address item, bp: size item, si: data item
piece:
    mov ax, bp
    call item
    test eax, eax
    jz .none
    push eax
    mov ax, bx
    call item
    mov edi, eax
    pop ecx
    mov ax, si
    jmp fw_read
.none:
    ret

boot:
    cli
    cld
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x6f00
    mov bx, 0x16
    mov bp, 0x17
    mov si, 0x18
    call piece                  ; setup
    mov bx, 0x07
    mov bp, 0x08
    mov si, 0x11
    call piece                  ; kernel
    mov bx, 0x13
    mov bp, 0x14
    mov si, 0x15
    call piece                  ; command line
    mov bx, 0x0a
    mov bp, 0x0b
    mov si, 0x12
    call piece                  ; initrd
    mov ax, 0x16
    call item
    shr eax, 4                  ; the setup code's segment
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    mov esp, 0xfff0
    add ax, 0x20
    push ax
    push word 0
    xor eax, eax
    xor ebx, ebx
    xor ecx, ecx
    xor edx, edx
    xor esi, esi
    xor edi, edi
    xor ebp, ebp
    retf
    times ROM_LEN - ($ - $$) db 0
