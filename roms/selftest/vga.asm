; Self-checking VGA guest: a bootable floppy image for SeaBIOS with its VGA BIOS (or any PC).
; It checks what a program can read back (registers, latches, memory, retrace), ending with PASS or
; FAIL n; and it draws one picture for every mode and trick.  For each it says "P name" on COM1 (or
; "B name" when the picture blinks) and waits for a byte, so that somebody can look:
; tests/boot/cases_vga.py compares with tests/golden/vga/*.png, under Vitrine and under QEMU.
;
;   nasm -f bin -I roms/selftest/ -o vga.img roms/selftest/vga.asm
;
; Documents: IBM VGA/XGA Technical Reference Manual (1992); Ralf Brown's list for INT 10h; VESA VBE 2.0.
cpu 386
bits 16
org 0x7c00

SECTORS equ (end_of_code - boot - 512 + 511) / 512

%macro IDX 3                    ; port, index, value: an indexed register
    mov dx, %1
    mov ax, ((%3) << 8) | (%2)
    out dx, ax
%endmacro
%macro SEQ 2
    IDX 0x3c4, %1, %2
%endmacro
%macro GFX 2
    IDX 0x3ce, %1, %2
%endmacro
%macro CRT 2
    IDX 0x3d4, %1, %2
%endmacro
%macro ATTR 2                   ; attribute register; the screen stays on
    mov ax, ((%2) << 8) | (%1)
    call attr
%endmacro
%macro INT10 1-2                ; AX, BX
    mov ax, %1
  %if %0 > 1
    mov bx, %2
  %endif
    int 0x10
%endmacro
%macro MODE 1                   ; set a mode
    mov al, %1
    call set_mode
%endmacro
%macro PICTURE 1                ; the screen shows what it should: have it looked at
    mov si, %%name
    mov al, 'P'
    call picture
    jmp %%over
%%name: db %1, 0
%%over:
%endmacro
%macro BLINKING 1
    mov si, %%name
    mov al, 'B'
    call picture
    jmp %%over
%%name: db %1, 0
%%over:
%endmacro
%macro CHECK 1                  ; number of the check that follows
    mov word [check], %1
%endmacro
%macro EQ 2
    cmp %1, %2
    jne fail
%endmacro

boot:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x7c00
    sti
    cld
    mov [drive], dl
    mov word [lba], 1
    mov bx, 0x7e00
.next:
    mov ax, [lba]
    mov cl, 18
    div cl                      ; al: track * 2 + head, ah: sector - 1
    mov cl, ah
    inc cl
    mov ch, al
    shr ch, 1
    mov dh, al
    and dh, 1
    mov dl, [drive]
    mov ax, 0x0201
    int 0x13
    jc .bad
    add bx, 512
    inc word [lba]
    cmp word [lba], SECTORS
    jbe .next
    jmp main
.bad:
    mov ax, 0x0e00 + '!'
    int 0x10
    jmp $
drive: db 0
lba: dw 0
    times 510 - ($ - $$) db 0
    dw 0xaa55

; ---- talking to the host ----
putc:                           ; al, to COM1
    push dx
    push ax
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 0x20
    jz .wait
    pop ax
    mov dx, 0x3f8
    out dx, al
    pop dx
    ret
puts:                           ; ds:si
    lodsb
    or al, al
    jz .end
    call putc
    jmp puts
.end:
    ret
newline:
    mov al, 13
    call putc
    mov al, 10
    jmp putc
puthex:                         ; al
    push ax
    shr al, 4
    call .digit
    pop ax
    and al, 15
.digit:
    add al, '0'
    cmp al, '9'
    jbe .put
    add al, 'A' - '9' - 1
.put:
    jmp putc
picture:                        ; al 'P' or 'B', si: name; all registers kept but ax, si
    push dx
    push ds
    push 0
    pop ds
    call putc
    mov al, ' '
    call putc
    call puts
    call newline
    mov dx, 0x3fd
.wait:
    in al, dx
    test al, 1
    jz .wait
    mov dx, 0x3f8
    in al, dx
    pop ds
    pop dx
    ret
; text to port 402h as well, as the other self-checking guests do
result:                         ; si
    push si
    call puts
    pop si
    mov dx, 0x402
.next:
    lodsb
    or al, al
    jz .end
    out dx, al
    jmp .next
.end:
    ret
fail:
    xor dx, dx
    mov ds, dx
    mov si, failed
    call result
    mov al, [check + 1]
    call puthex
    mov al, [check]
    call puthex
    call newline
    mov dx, 0x501
    mov al, 1
    out dx, al
    jmp $
check: dw 0
failed: db 'FAIL ', 0
ibm: db 'ibm', 0
passed: db 'PASS', 13, 10, 0

attr:                           ; al index, ah value
    push dx
    push ax
    mov dx, 0x3da
    in al, dx
    mov dl, 0xba
    in al, dx                   ; the monochrome modes have it there
    pop ax
    mov dx, 0x3c0
    out dx, al
    xchg al, ah
    out dx, al
    mov al, 0x20
    out dx, al
    xchg al, ah
    pop dx
    ret

; al: mode.  SeaBIOS's VGA BIOS clears the attribute flip-flop at 3DAh only, and writes the CRTC of
; mode 07h at 3B4h before MISC moves it there: we start from the color addresses and load mode 07h's
; CRTC after it.
set_mode:
    pusha
    mov bl, al
    mov dx, 0x3cc
    in al, dx
    or al, 1
    mov dl, 0xc2
    out dx, al
    mov dl, 0xda
    in al, dx
    popa
    push ax
    xor ah, ah
    int 0x10
    pop ax
    pusha
    cmp al, 7
    jne .end
    mov si, .crtc07
    mov dx, 0x3b4
    mov ax, 0x0e11
    out dx, ax
    xor cl, cl
.crtc:
    lodsb
    mov ah, al
    mov al, cl
    out dx, ax
    inc cl
    cmp cl, 25
    jb .crtc
.end:
    popa
    ret
.crtc07: db 0x5f, 0x4f, 0x50, 0x82, 0x55, 0x81, 0xbf, 0x1f, 0, 0x4f, 0x0d, 0x0e, 0, 0, 0, 0
    db 0x9c, 0x8e, 0x8f, 0x28, 0x0d, 0x96, 0xb9, 0xa3, 0xff

main:
    mov dx, 0x3fb               ; 115200 8n1, no interrupts
    mov al, 0x80
    out dx, al
    mov dx, 0x3f8
    mov al, 1
    out dx, al
    inc dx
    xor al, al
    out dx, al
    mov dx, 0x3fb
    mov al, 3
    out dx, al
    inc dx
    out dx, al
    call flat_fs
    call check_registers
    call check_memory
    mov si, ibm
    mov al, 'Q'
    call picture                ; the answer: y, or anything else for no
    cmp al, 'y'
    jne .not_ibm
    call check_ibm
.not_ibm:
    call pictures_text
    call pictures_graphics
    call pictures_vbe
    MODE 3
    mov si, passed
    call result
    mov dx, 0x501
    xor al, al
    out dx, al
    jmp $

; fs gets a limit of 4 GB with base 0 ("unreal mode"), for the linear frame buffer
flat_fs:
    cli
    lgdt [gdtr]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp .pm
.pm:
    mov bx, 8
    mov fs, bx
    and al, 0xfe
    mov cr0, eax
    jmp .rm
.rm:
    xor bx, bx
    mov fs, bx
    mov ax, 0x2401              ; A20
    int 0x15
    cli
    lgdt [gdtr]                 ; once more: the BIOS call may have reloaded fs
    mov eax, cr0
    or al, 1
    mov cr0, eax
    mov bx, 8
    mov fs, bx
    and al, 0xfe
    mov cr0, eax
    xor bx, bx
    sti
    ret
    align 8
gdt:
    dq 0
    dq 0x00cf93000000ffff
gdtr:
    dw 15
    dd gdt

%include "vga_check.inc"
%include "vga_text.inc"
%include "vga_gfx.inc"
%include "vga_vbe.inc"
end_of_code:
%if end_of_code - boot > 0x7400
  %error the guest must end below F000h
%endif
    times 1474560 - ($ - $$) db 0
