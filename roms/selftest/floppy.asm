; Floppy drives as a guest sees them: BIOS int 13h, then the 82077AA and the 8237A by their ports.
; The image carries a pattern (see build.sh); a run leaves it as it was.
; FLAGS: see F_ below.  With F_EMU the floppy is a CD's boot image (El Torito): no controller is there.
%include "floppy_kbd.inc"
F_RO   equ 1  ; write-protected
F_EMU  equ 2  ; a CD's boot image
F_SWAP equ 4  ; the disk may be changed: @2 is another of the same size
F_B    equ 8  ; drive B holds @2

%if TRACKS == 40
TYPE equ 1
%elif SPT == 15
TYPE equ 2
%elif SPT == 9
TYPE equ 3
%elif SPT == 18
TYPE equ 4
%else
TYPE equ 5
%endif
%if SPT == 36
RATE equ 3
%elif SPT >= 15
RATE equ 0
%else
RATE equ 2
%endif
LAST    equ TRACKS * HEADS * SPT - 1
SECTORS equ TRACKS * HEADS * SPT
BUF_SEG equ 0x1000 ; 64 KB for DMA
BUF2    equ 0x6000 ; 512 bytes below us

    BOOT_SECTOR
start:
    call int13_tests
    test byte [flags], F_EMU
    jnz finish
    call fdc_tests
    test byte [flags], F_B
    jz .no_b
    call drive_b
.no_b:
    test byte [flags], F_SWAP
    jz .no_swap
    call swap
.no_swap:
    jmp finish

    FRAME_ROUTINES

; ---- the pattern: word i of sector n is n + i * 257 + seed
; carry set if the sector at es:di differs from that of number bx
pattern_differs:
    push ax
    push cx
    push di
    mov cx, 256
    mov ax, bx
    add ax, [seed]
.next:
    scasw
    jne .no
    add ax, 257
    loop .next
    clc
    jmp .out
.no:
    stc
.out:
    pop di
    pop cx
    pop ax
    ret
make_pattern:
    pusha
    mov cx, 256
    mov ax, bx
    add ax, [seed]
.next:
    stosw
    add ax, 257
    loop .next
    popa
    ret
seed: dw 0

; ---- BIOS
; bx: sector number -> ch, cl, dh, dl for int 13h
to_chs:
    push ax
    push bx
    mov ax, bx
    xor dx, dx
    mov bx, SPT
    div bx
    mov cl, dl
    inc cl
    xor dx, dx
    mov bx, HEADS
    div bx
    mov ch, al
    mov dh, dl
    mov dl, [unit]
    pop bx
    pop ax
    ret
unit: db 0
; al sectors from number bx to BUF; ax and carry from the BIOS
bios_read:
    push bx
    push es
    call to_chs
    mov ah, 2
    push word BUF_SEG
    pop es
    xor bx, bx
    int 0x13
    pop es
    pop bx
    ret
; command ah, one sector at BUF2, number bx
bios_one:
    push bx
    push ax
    call to_chs
    pop ax
    mov al, 1
    mov bx, BUF2
    int 0x13
    pop bx
    ret

int13_tests:
    PART "int 13h"
    mov al, [boot_drive]
    ALIS 0
    mov ah, 8
    xor dl, dl
    push es
    int 0x13
    pop es
    MUST nc
    test byte [flags], F_EMU
    jnz .emulated
    mov al, bl
    ALIS TYPE
    push cx
    mov al, 1
    test byte [flags], F_B
    jz .one
    inc al
.one:
    cmp al, dl
    MUST e
    pop cx
    mov al, ch ; of the drive: a 160 KB disk lies in a 360 KB one
    ALIS TRACKS - 1
    mov al, dh
    ALIS 1
    mov al, cl
    and al, 0x3f
%if TYPE == 1
    ALIS 9
%else
    ALIS SPT
%endif
    mov ax, 0x1500
    xor dl, dl
    int 0x13
    MUST nc
    test ah, ah
    MUST nz
    jmp .told
.emulated:
    mov al, ch
    ALIS TRACKS - 1
    mov al, dh
    ALIS HEADS - 1
    mov al, cl
    and al, 0x3f
    ALIS SPT
.told:
    xor ax, ax
    xor dl, dl
    int 0x13
    MUST nc
    call read_all
    ; behind the end of the track, and the drive works on
    mov bx, 0
    call to_chs
    mov cl, SPT + 1
    mov ax, 0x0201
    mov bx, BUF2
    test byte [flags], F_EMU
    jnz .writes
    int 0x13
    MUST c
    mov bx, LAST
    mov ah, 4 ; verify
    call bios_one
    MUST nc
.writes:
    mov word [BUF2], 0xbad0
    mov di, BUF2
    mov bx, LAST
    mov word [seed], 0x7777
    call make_pattern
    mov word [seed], 0
    mov ah, 3
    call bios_one
    pushf
    test byte [flags], F_RO | F_EMU
    jz .writable
    popf
    MUST c
    mov al, ah
    ALIS 3 ; write-protected
    mov al, 1
    call bios_read
    MUST nc
    call last_is_whole
    ret
.writable:
    popf
    MUST nc
    mov al, 1
    call bios_read
    MUST nc
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov word [seed], 0x7777
    call pattern_differs
    MUST nc
    mov word [seed], 0
    pop es
    mov bx, LAST ; put it back (SeaBIOS has no format: see below for the controller's)
    mov di, BUF2
    call make_pattern
    mov ah, 3
    call bios_one
    MUST nc
    mov al, 1
    call bios_read
    MUST nc
last_is_whole:
    push es
    push word BUF_SEG
    pop es
    mov bx, LAST
    xor di, di
    call pattern_differs
    MUST nc
    pop es
    ret

; every track, whole
read_all:
    xor bx, bx
.track:
    mov al, SPT
    call bios_read
    MUST nc
    push es
    push word BUF_SEG
    pop es
    xor di, di
.sector:
    cmp bx, CODE_SECTORS
    jb .skip
    call pattern_differs
    jnc .skip
    mov ax, bx
    AXIS 0xffff ; says which sector
.skip:
    add di, 512
    inc bx
    mov ax, bx
    xor dx, dx
    mov cx, SPT
    div cx
    test dx, dx
    jnz .sector
    pop es
    cmp bx, SECTORS
    jb .track
    ret

; ---- 82077AA
DOR  equ 0x3f2
MSR  equ 0x3f4
FIFO equ 0x3f5
DIR  equ 0x3f7

irq6:
    push ax
    inc word [cs:irqs]
    mov al, 0x20
    out 0x20, al
    pop ax
    iret
irqs: dw 0
old_irq6: dd 0

; command bytes after the call: count, bytes
%macro FDC 1-*
    call fdc_send
    db %0
  %rep %0
    db %1
    %rotate 1
  %endrep
%endmacro
fdc_send:
    pop si
    pusha
    mov word [irqs], 0
    xor cx, cx
    mov cl, [si]
    inc si
.next:
    call fdc_ready
    lodsb
    mov dx, FIFO
    out dx, al
    loop .next
    mov [.after], si
    popa
    mov si, [.after]
    push si
    ret
.after: dw 0
; RQM on; al: the status
fdc_ready:
    push dx
    push bx
    TICKS_FROM_NOW
    mov dx, MSR
.wait:
    in al, dx
    test al, 0x80
    jnz .done
    mov ax, 40
    call late
    jnc .wait
    SAY "FAIL the controller does not answer", 13, 10
    inc word [failures]
    jmp finish
.done:
    pop bx
    pop dx
    ret
; results to `res`; al: how many
fdc_results:
    push di
    push dx
    push cx
    mov di, res
    xor cx, cx
.next:
    call fdc_ready
    and al, 0x50
    cmp al, 0x50
    jne .done
    cmp cx, 10
    jae .done
    mov dx, FIFO
    in al, dx
    stosb
    inc cx
    jmp .next
.done:
    mov al, cl
    pop cx
    pop dx
    pop di
    ret
res: times 10 db 0
; IRQ 6 within two seconds
fdc_irq:
    TICKS_FROM_NOW
.wait:
    cmp word [irqs], 0
    jne .came
    mov ax, 40
    call late
    jnc .wait
    SAY "(no IRQ 6) "
    stc
    MUST nc
.came:
    ret
; results of a data command: 7 bytes after the call
%macro RESULT 7.nolist
    call fdc_irq
    call fdc_results
    ALIS 7
  %assign i 0
  %rep 7
    mov al, [res + i]
    ALIS %1
    %rotate 1
    %assign i i + 1
  %endrep
%endmacro
%macro SENSE 2.nolist ; ST0, PCN
    FDC 0x08
    call fdc_results
    ALIS 2
    mov al, [res]
    ALIS %1
    mov al, [res + 1]
    ALIS %2
%endmacro
%macro SEEK 3.nolist ; drive, head, track
    FDC 0x0f, (%2) << 2 | (%1), %3
    call fdc_irq
    SENSE 0x20 | (%2) << 2 | (%1), %3
%endmacro
; channel 2: mode in al, address 10000h, cx bytes
dma:
    push ax
    mov al, 6
    out 0x0a, al
    out 0x0c, al
    pop ax
    or al, 2
    out 0x0b, al
    xor al, al
    out 0x04, al
    out 0x04, al
    dec cx
    mov al, cl
    out 0x05, al
    mov al, ch
    out 0x05, al
    mov al, 1
    out 0x81, al
    mov al, 2
    out 0x0a, al
    ret
%macro DMA 2 ; mode, bytes
    mov al, %1
    mov cx, %2
    call dma
%endmacro
TO_MEMORY   equ 0x44
FROM_MEMORY equ 0x48
VERIFY      equ 0x40
; the remaining count, wrapped to FFFF at the terminal count
dma_count:
    xor al, al
    out 0x0c, al
    in al, 0x05
    mov ah, al
    in al, 0x05
    xchg al, ah
    ret
; sector of track c, head h, sector r
%define NUMBER(c, h, r) (((c) * HEADS + (h)) * SPT + (r) - 1)
; the buffer at offset di holds sector bx
%macro HOLDS 2.nolist
    mov bx, %2
    mov di, %1
    call buffer_holds
    MUST nc
%endmacro
buffer_holds:
    push es
    push word BUF_SEG
    pop es
    call pattern_differs
    pop es
    ret
fill_buffer: ; with al
    pusha
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov cx, 0xffff
    rep stosb
    pop es
    popa
    ret
dir_bit: ; al: 80h while the change line is up
    push dx
    mov dx, DIR
    in al, dx
    and al, 0x80
    pop dx
    ret
fdc_open:
    mov byte [0x440], 0 ; the BIOS leaves the motor alone
    mov ax, [0x38]
    mov [old_irq6], ax
    mov ax, [0x3a]
    mov [old_irq6 + 2], ax
    cli
    mov word [0x38], irq6
    mov word [0x3a], 0
    sti
    in al, 0x21
    and al, 0xbf
    out 0x21, al
    ret
fdc_close: ; back to the BIOS
    cli
    mov ax, [old_irq6]
    mov [0x38], ax
    mov ax, [old_irq6 + 2]
    mov [0x3a], ax
    sti
    mov byte [0x43e], 0 ; recalibrate first
    xor ax, ax
    xor dl, dl
    int 0x13
    MUST nc
    ret
fdc_start: ; reset, motors of A and B on, drive A selected
    mov dx, DOR
    xor al, al
    out dx, al
    mov word [irqs], 0
    mov al, 0x3c
    out dx, al
    call fdc_irq
    ret
HEAD equ HEADS - 1 ; the last
fdc_tests:
    PART "controller: reset"
    call fdc_open
    call fdc_start
%assign drive 0
%rep 4
    FDC 0x08
    call fdc_results
    ALIS 2
    mov al, [res]
    ALIS 0xc0 + drive
  %assign drive drive + 1
%endrep
    FDC 0x08 ; no more
    call fdc_results
    ALIS 1
    mov al, [res]
    ALIS 0x80
    mov dx, DOR
    in al, dx
    ALIS 0x3c
    PART "controller: its own commands"
    FDC 0x10
    call fdc_results
    ALIS 1
    mov al, [res]
    ALIS 0x90
    FDC 0x1f ; no such command
    call fdc_results
    ALIS 1
    mov al, [res]
    ALIS 0x80
    FDC 0x13, 0, 0x57, 0x21
    FDC 0x94
    call fdc_results
    ALIS 1
    mov al, [res]
    ALIS 0x10
    mov word [irqs], 0
    mov dx, MSR
    mov al, 0x80 | RATE ; reset by DSR: locked, so CONFIGURE stays; no polling: no interrupt is due
    out dx, al
    FDC 0x0e
    call fdc_results
    ALIS 10
    mov al, [res + 7]
    and al, 0x80
    ALIS 0x80
    mov al, [res + 8]
    ALIS 0x57
    mov al, [res + 9]
    ALIS 0x21
    FDC 0x14
    call fdc_results
    FDC 0x13, 0, 0x0f, 0 ; FIFO on, polling on, no implied seek
    mov dx, DIR
    mov al, RATE
    out dx, al
    FDC 0x03, 0xdf, 0x02
    PART "controller: moving the head"
    FDC 0x07, 0
    call fdc_irq
    SENSE 0x20, 0
    FDC 0x04, 0
    call fdc_results
    ALIS 1
    mov al, [res]
    and al, 0x50
    mov ah, 0x10
    test byte [flags], F_RO
    jz .not_protected
    or ah, 0x40
.not_protected:
    cmp al, ah
    MUST e
    SEEK 0, 0, 10
    call dir_bit
    ALIS 0
    FDC 0x04, 0
    call fdc_results
    mov al, [res]
    and al, 0x10
    ALIS 0
    FDC 0xcf, 0, 5 ; relative, inward
    call fdc_irq
    SENSE 0x20, 15
    FDC 0x8f, 0, 5
    call fdc_irq
    SENSE 0x20, 10
    FDC 0x4a, HEAD << 2
    call fdc_irq
    call fdc_results
    ALIS 7
    mov al, [res + 3]
    ALIS 10
    mov al, [res + 4]
    ALIS HEAD
    mov al, [res + 6]
    ALIS 2
    PART "controller: reading"
    DMA TO_MEMORY, 512
    FDC 0x46, HEAD << 2, 10, HEAD, 3, 2, SPT, 0x1b, 0xff
    RESULT HEAD << 2, 0, 0, 10, HEAD, 4, 2
    mov ax, [irqs]
    AXIS 1
    call dma_count
    AXIS 0xffff
    in al, 0x08
    and al, 4
    ALIS 4 ; terminal count of channel 2
    in al, 0x08
    and al, 4
    ALIS 0 ; told once
    HOLDS 0, NUMBER(10, HEAD, 3)
%if HEADS == 2
    DMA TO_MEMORY, 2 * SPT * 512
    FDC 0xc6, 0, 10, 0, 1, 2, SPT, 0x1b, 0xff ; both sides
    RESULT 4, 0, 0, 11, 0, 1, 2
    HOLDS 0, NUMBER(10, 0, 1)
    HOLDS (2 * SPT - 1) * 512, NUMBER(10, 1, SPT)
%endif
    DMA TO_MEMORY, 2048
    FDC 0x46, 0, 10, 0, SPT, 2, SPT, 0x1b, 0xff ; nobody ends it: end of the cylinder
    RESULT 0x40, 0x80, 0, 11, 0, 1, 2
    HOLDS 0, NUMBER(10, 0, SPT)
    call dma_count
    AXIS 2048 - 512 - 1
    DMA TO_MEMORY, 512
    FDC 0x46, 0, 11, 0, 1, 2, SPT, 0x1b, 0xff ; the head is elsewhere
    RESULT 0x40, 0x04, 0x10, 11, 0, 1, 2
    FDC 0x46, 0, 10, 0, SPT + 1, 2, SPT + 1, 0x1b, 0xff ; no such sector
    RESULT 0x40, 0x04, 0, 10, 0, SPT + 1, 2
    DMA TO_MEMORY, SPT * 512
    FDC 0x42, 0, 10, 0, 1, 2, SPT, 0x1b, 0xff ; READ TRACK
    call fdc_irq
    call fdc_results
    ALIS 7
    mov al, [res]
    ALIS 0
    HOLDS 0, NUMBER(10, 0, 1)
    HOLDS (SPT - 1) * 512, NUMBER(10, 0, SPT)
    FDC 0x56, 0, 10, 0, 1, 2, SPT, 0x1b, 0xff ; VERIFY
    call fdc_irq
    call fdc_results
    ALIS 7
    mov al, [res]
    ALIS 0
    mov al, [res + 1]
    ALIS 0
    PART "controller: by the processor"
    FDC 0x03, 0xdf, 0x03
    FDC 0x46, 0, 10, 0, SPT, 2, SPT, 0x1b, 0xff
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov cx, 512
.pio:
    call fdc_ready
    and al, 0x60
    cmp al, 0x60
    jne .pio_over
    mov dx, FIFO
    in al, dx
    stosb
    loop .pio
.pio_over:
    pop es
    mov ax, cx
    AXIS 0
    RESULT 0x40, 0x80, 0, 11, 0, 1, 2
    HOLDS 0, NUMBER(10, 0, SPT)
    FDC 0x03, 0xdf, 0x02
    PART "DMA controller"
    mov al, 0xee
    call fill_buffer
    DMA VERIFY, 512 ; reads, and moves nothing
    FDC 0x46, 0, 10, 0, 2, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 10, 0, 3, 2
    push es
    push word BUF_SEG
    pop es
    mov ax, [es:0]
    AXIS 0xeeee
    pop es
    DMA TO_MEMORY, 256 ; ends in the middle of a sector
    FDC 0x46, 0, 10, 0, 2, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 10, 0, 3, 2
    push es
    push word BUF_SEG
    pop es
    mov ax, [es:254]
    AXIS NUMBER(10, 0, 2) + 127 * 257
    mov ax, [es:256]
    AXIS 0xeeee
    pop es
    DMA TO_MEMORY, 512
    mov al, 4 ; controller off
    out 0x08, al
    FDC 0x46, 0, 10, 0, 2, 2, SPT, 0x1b, 0xff
    TICKS_FROM_NOW
.held:
    mov ax, 4
    call late
    jnc .held
    mov ax, [irqs]
    AXIS 0
    xor al, al
    out 0x08, al
    RESULT 0, 0, 0, 10, 0, 3, 2
    HOLDS 0, NUMBER(10, 0, 2)
    mov al, 0x5a
    out 0x84, al
    in al, 0x84
    ALIS 0x5a
    in al, 0x81
    ALIS 1
    test byte [flags], F_RO
    jnz .protected
    PART "controller: writing"
    mov al, 0x5a
    call fill_buffer
    DMA FROM_MEMORY, 1024
    FDC 0x45, 0, 10, 0, 4, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 10, 0, 6, 2
    mov al, 0xee
    call fill_buffer
    DMA TO_MEMORY, 2048
    FDC 0x46, 0, 10, 0, 3, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 10, 0, 7, 2
    HOLDS 0, NUMBER(10, 0, 3)
    HOLDS 3 * 512, NUMBER(10, 0, 6)
    push es
    push word BUF_SEG
    pop es
    mov di, 512
    mov cx, 512
    mov ax, 0x5a5a
    repe scasw
    MUST e
    pop es
    SEEK 0, HEAD, TRACKS - 1
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov al, 1
.id:
    mov byte [es:di], TRACKS - 1
    mov byte [es:di + 1], HEAD
    mov [es:di + 2], al
    mov byte [es:di + 3], 2
    add di, 4
    inc al
    cmp al, SPT
    jbe .id
    pop es
    DMA FROM_MEMORY, SPT * 4
    FDC 0x4d, HEAD << 2, 2, SPT, 0x54, 0xe5
    call fdc_irq
    call fdc_results
    ALIS 7
    mov al, [res]
    ALIS HEAD << 2
    mov al, [res + 1]
    ALIS 0
    DMA TO_MEMORY, SPT * 512
    FDC 0x46, HEAD << 2, TRACKS - 1, HEAD, 1, 2, SPT, 0x1b, 0xff
    call fdc_irq
    call fdc_results
    mov al, [res]
    ALIS HEAD << 2
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov cx, SPT * 256
    mov ax, 0xe5e5
    repe scasw
    MUST e
    pop es
    ; put both places back
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov bx, NUMBER(TRACKS - 1, HEAD, 1)
.back:
    call make_pattern
    add di, 512
    inc bx
    cmp bx, SECTORS
    jb .back
    pop es
    DMA FROM_MEMORY, SPT * 512
    FDC 0x45, HEAD << 2, TRACKS - 1, HEAD, 1, 2, SPT, 0x1b, 0xff
    RESULT HEAD << 2, 0, 0, TRACKS, HEAD, 1, 2
    FDC 0x13, 0, 0x4f, 0 ; implied seek: the head goes to track 10 by itself
    push es
    push word BUF_SEG
    pop es
    xor di, di
    mov bx, NUMBER(10, 0, 4)
    call make_pattern
    add di, 512
    inc bx
    call make_pattern
    pop es
    DMA FROM_MEMORY, 1024
    FDC 0x45, 0, 10, 0, 4, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 10, 0, 6, 2
    FDC 0x13, 0, 0x0f, 0
    jmp .written
.protected:
    PART "controller: write-protected"
    DMA FROM_MEMORY, 512
    FDC 0x45, 0, 10, 0, 4, 2, SPT, 0x1b, 0xff
    RESULT 0x40, 0x02, 0, 10, 0, 4, 2
    DMA FROM_MEMORY, SPT * 4
    FDC 0x4d, 0, 2, SPT, 0x54, 0xe5
    call fdc_irq
    call fdc_results
    mov al, [res]
    and al, 0xc0
    ALIS 0x40
    mov al, [res + 1]
    ALIS 0x02
.written:
    call fdc_close
    PART "int 13h, all again"
    call read_all
    ret

; ---- two drives
drive_b:
    PART "drive B"
    mov byte [unit], 1
    mov word [seed], 0x5000
    mov ah, 8
    mov dl, 1
    push es
    int 0x13
    pop es
    MUST nc
    mov al, bl
    ALIS TYPE
    call read_all
    mov byte [unit], 0
    call fdc_open
    call fdc_start
    mov cx, 4
.sense:
    FDC 0x08
    call fdc_results
    loop .sense
    mov dx, DIR
    mov al, RATE
    out dx, al
    FDC 0x03, 0xdf, 0x02
    SEEK 0, 0, 7
    mov dx, DOR ; drive B selected, both motors on
    mov al, 0x3d
    out dx, al
    SEEK 1, 0, 21
    DMA TO_MEMORY, 512
    FDC 0x46, 1, 21, 0, 5, 2, SPT, 0x1b, 0xff
    RESULT 1, 0, 0, 21, 0, 6, 2
    HOLDS 0, NUMBER(21, 0, 5)
    FDC 0x0e ; each has its head
    call fdc_results
    mov al, [res]
    ALIS 7
    mov al, [res + 1]
    ALIS 21
    mov word [seed], 0
    mov dx, DOR
    mov al, 0x3c
    out dx, al
    DMA TO_MEMORY, 512
    FDC 0x46, 0, 7, 0, 5, 2, SPT, 0x1b, 0xff
    RESULT 0, 0, 0, 7, 0, 6, 2
    HOLDS 0, NUMBER(7, 0, 5)
    call fdc_close
    ret

; ---- the change line
until_changed:
    TICKS_FROM_NOW
.wait:
    call dir_bit
    test al, al
    jnz .done
    mov ax, 400
    call late
    jnc .wait
    SAY "(the change line stays down) "
    stc
    MUST nc
.done:
    ret
; step until the line falls: a disk is in
until_in:
    mov cx, 300
.again:
    FDC 0x0f, 0, 3
    call fdc_irq
    FDC 0x08
    call fdc_results
    FDC 0x0f, 0, 1
    call fdc_irq
    FDC 0x08
    call fdc_results
    call dir_bit
    test al, al
    jz .in
    TICKS_FROM_NOW
.pause:
    mov ax, 1
    call late
    jnc .pause
    loop .again
    SAY "(no disk comes) "
    stc
    MUST nc
.in:
    ret
fdc_up:
    call fdc_open
    call fdc_start
    mov cx, 4
.sense:
    FDC 0x08
    call fdc_results
    loop .sense
    mov dx, DIR
    mov al, RATE
    out dx, al
    FDC 0x03, 0xdf, 0x02
    FDC 0x13, 0, 0x0f, 0
    ret
read_5: ; sector 5 of track 30
    FDC 0x0f, 0, 30
    call fdc_irq
    FDC 0x08
    call fdc_results
    DMA TO_MEMORY, 512
    FDC 0x46, 0, 30, 0, 5, 2, SPT, 0x1b, 0xff
    call fdc_irq
    call fdc_results
    mov al, [res]
    and al, 0xc0
    ret
swap:
    PART "disk change"
    call fdc_up
    SEEK 0, 0, 2
    call dir_bit
    ALIS 0
    SAY "> eject floppy0", 13, 10
    call until_changed
    SEEK 0, 0, 4 ; no disk: the line stays
    call dir_bit
    ALIS 0x80
    SAY "> change floppy0 @2", 13, 10
    call until_in
    mov word [seed], 0x5000
    call read_5
    ALIS 0
    HOLDS 0, NUMBER(30, 0, 5)
    SAY "> change floppy0 @1", 13, 10
    call until_changed
    mov word [seed], 0
    call until_in
    call read_5
    ALIS 0
    HOLDS 0, NUMBER(30, 0, 5)
    call fdc_close
    mov bx, LAST
    mov al, 1
    call bios_read
    MUST nc
    call last_is_whole
    ret
    PAD_CODE
