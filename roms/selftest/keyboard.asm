; Keyboard and mouse as a guest sees them: the 8042, scan code sets 1 to 3, typematic, the mouse's
; protocols.  Bytes are polled; interrupts 1 and 12 have a part of their own.  Keys and movements are
; asked for with "> sendkey ..." (see floppy_kbd.inc), on the screen as well, so that a script can wait.
%define TO_SCREEN
%include "floppy_kbd.inc"
    BOOT_SECTOR
start:
    in al, 0x21 ; the BIOS is to see no key
    or al, 0x02
    out 0x21, al
    in al, 0xa1
    or al, 0x10
    out 0xa1, al
    call controller
    call interrupts
    call commands
    call keys
    call typematic
    call mouse
    jmp finish
    FRAME_ROUTINES

; ---- 8042
WAIT_LONG equ 600 ; ticks for what somebody has to type
WAIT_BYTE equ 8
WAIT_GAP  equ 4   ; shorter than the typematic delay of 500 ms

; input buffer empty
can_write:
    push ax
    push cx
    xor cx, cx
.wait:
    in al, 0x64
    test al, 2
    loopnz .wait
    pop cx
    pop ax
    ret
; al to the controller, al to the data port
command:
    call can_write
    out 0x64, al
    ret
data:
    call can_write
    out 0x60, al
    ret
%macro CMD 1
    mov al, %1
    call command
%endmacro
%macro KBD 1
    mov al, %1
    call data
%endmacro
; al: a byte that comes within ax ticks, [from]: 20h if it is the mouse's; carry: none, al 0EEh
get:
    push bx
    mov bx, ax
    TICKS_FROM_NOW
.wait:
    in al, 0x64
    test al, 1
    jnz .here
    mov ax, bx
    call late
    jnc .wait
    mov ax, 0xee
    pop bx
    stc
    ret
.here:
    and al, 0x60
    mov [from], al
    in al, 0x60
    xor ah, ah
    pop bx
    clc
    ret
from: db 0
; no byte may be left over
flush:
    push ax
.next:
    mov ax, 1
    call get
    jnc .next
    pop ax
    ret
%macro GET 1.nolist
    mov ax, WAIT_BYTE
    call get
    AXIS %1
%endmacro
%macro NOTHING 0.nolist
    mov ax, 3
    call get
    MUST c
%endmacro
; a keyboard command and its answer
%macro ASK 2-*.nolist
    KBD %1
  %rep %0 - 1
    %rotate 1
    GET %1
  %endrep
%endmacro
CCB_OFF equ 0x34 ; both interfaces off, no translation, no interrupts
CCB_KBD equ 0x24 ; keyboard on
CCB_AUX equ 0x14
ccb:
    push ax
    CMD 0x60
    pop ax
    call data
    ret
%macro CCB 1
    mov al, %1
    call ccb
%endmacro

controller:
    PART "8042"
    CMD 0xad
    CMD 0xa7
    call flush
    CMD 0xaa
    GET 0x55
    CMD 0xab
    GET 0
    CMD 0xa9
    GET 0
    CCB CCB_OFF
    CMD 0x20
    in al, 0x64
    and al, 0x0d
    ALIS 0x0d ; output buffer full, SYS, the last write was a command
    GET CCB_OFF
    CCB CCB_OFF
    in al, 0x64
    and al, 0x09
    ALIS 0
    CMD 0xae
    CMD 0xa8
    CMD 0x20
    GET 0x04
    CMD 0xad
    CMD 0xa7
    CMD 0x20
    GET CCB_OFF
    CMD 0xd2 ; as if from the keyboard
    KBD 0xa5
    GET 0xa5
    mov al, [from]
    ALIS 0
    CMD 0xd3 ; as if from the mouse
    KBD 0x5a
    GET 0x5a
    mov al, [from]
    ALIS 0x20
    CMD 0xc0
    mov ax, WAIT_BYTE
    call get
    and al, 0x80
    ALIS 0x80 ; not locked
    ; A20: FFFF:0510 is 100500h, or 000500h without it
    push es
    mov ax, 0xffff
    mov es, ax
    cli
    in al, 0x92 ; the other gate: the BIOS may have opened it
    push ax
    and al, 0xfc
    out 0x92, al
    CMD 0xd1
    KBD 0xdd
    mov word [0x500], 0x1234
    mov word [es:0x510], 0x4321
    mov bx, [0x500]
    CMD 0xd0
    mov ax, WAIT_BYTE
    call get
    mov ah, al
    CMD 0xd1
    KBD 0xdf
    mov cl, ah
    pop ax
    and al, 0xfe
    out 0x92, al
    sti
    mov al, cl
    and al, 3
    ALIS 1
    mov ax, bx
    AXIS 0x4321
    mov word [es:0x510], 0x5555
    mov ax, [0x500]
    AXIS 0x4321
    pop es
    ret

; ---- interrupts
irq1:
    push ax
    in al, 0x60
    mov [cs:got1], al
    mov al, 0x20
    out 0x20, al
    pop ax
    iret
irq12:
    push ax
    in al, 0x60
    mov [cs:got12], al
    mov al, 0x20
    out 0xa0, al
    out 0x20, al
    pop ax
    iret
got1:  db 0
got12: db 0
interrupts:
    PART "interrupts 1 and 12"
    cli
    push dword [9 * 4]
    push dword [0x74 * 4]
    mov word [9 * 4], irq1
    mov word [9 * 4 + 2], 0
    mov word [0x74 * 4], irq12
    mov word [0x74 * 4 + 2], 0
    sti
    CCB CCB_OFF | 3
    in al, 0x21
    and al, ~0x06 & 0xff
    out 0x21, al
    in al, 0xa1
    and al, ~0x10 & 0xff
    out 0xa1, al
    CMD 0xd2
    KBD 0x11
    call pause
    CMD 0xd3
    KBD 0x22
    call pause
    mov al, [got1]
    ALIS 0x11
    mov al, [got12]
    ALIS 0x22
    CCB CCB_OFF
    mov byte [got1], 0
    CMD 0xd2
    KBD 0x33
    call pause
    mov al, [got1] ; the command byte says no
    ALIS 0
    in al, 0x21
    or al, 0x02
    out 0x21, al
    in al, 0xa1
    or al, 0x10
    out 0xa1, al
    GET 0x33
    cli
    pop dword [0x74 * 4]
    pop dword [9 * 4]
    sti
    ret
pause:
    TICKS_FROM_NOW
.wait:
    mov ax, 1
    call late
    jnc .wait
    ret

; ---- keyboard commands
commands:
    PART "keyboard commands"
    CCB CCB_KBD
    KBD 0xff
    GET 0xfa
    mov ax, 40
    call get
    AXIS 0xaa
    ASK 0xee, 0xee
    ASK 0xf2, 0xfa, 0xab, 0x83
    ASK 0xed, 0xfa
    ASK 0x07, 0xfa
    ASK 0xed, 0xfa
    ASK 0x00, 0xfa
    ASK 0xf0, 0xfa
    ASK 0x00, 0xfa, 0x02
    ASK 0xf0, 0xfa
    ASK 0x03, 0xfa
    ASK 0xf0, 0xfa
    ASK 0x00, 0xfa, 0x03
    ASK 0xf0, 0xfa
    ASK 0x02, 0xfa
    ASK 0xf3, 0xfa
    ASK 0x2b, 0xfa
    ASK 0xf5, 0xfa
    ASK 0xf4, 0xfa
    ASK 0xf6, 0xfa
    ASK 0xee, 0xee
    ASK 0xfe, 0xee ; again
    ASK 0x12, 0xfe ; no such command
    ASK 0xf2, 0xfa, 0xab, 0x83
    NOTHING
    CMD 0xad ; off: what it would say waits
    KBD 0xee ; but a byte to it switches it on
    GET 0xee
    CCB CCB_KBD | 0x40 ; translated: the ID's second byte is a scan code
    ASK 0xf2, 0xfa, 0xab, 0x41
    CCB CCB_KBD
    ret

; ---- keys
; text of a monitor command after the macro's name, then the bytes that must come and no more
%macro KEYS 2-*.nolist
    SAY "> ", %1, 13, 10
    mov word [wait_for], WAIT_LONG
  %rep %0 - 1
    %rotate 1
    mov ax, [wait_for]
    call get
    AXIS %1
    mov word [wait_for], WAIT_BYTE
  %endrep
    NOTHING
    call flush
%endmacro
wait_for: dw 0
keys:
    PART "set 2"
    KEYS "sendkey a", 0x1c, 0xf0, 0x1c
    KEYS "sendkey up", 0xe0, 0x75, 0xe0, 0xf0, 0x75
    KEYS "sendkey ctrl_r", 0xe0, 0x14, 0xe0, 0xf0, 0x14
    KEYS "sendkey kp_enter", 0xe0, 0x5a, 0xe0, 0xf0, 0x5a
    KEYS "sendkey f7", 0x83, 0xf0, 0x83
    KEYS "sendkey print", 0xe0, 0x12, 0xe0, 0x7c, 0xe0, 0xf0, 0x7c, 0xe0, 0xf0, 0x12
    KEYS "sendkey pause", 0xe1, 0x14, 0x77, 0xe1, 0xf0, 0x14, 0xf0, 0x77
    KEYS "sendkey shift-b", 0x12, 0x32, 0xf0, 0x32, 0xf0, 0x12
    PART "Num Lock and the gray keys"
    ASK 0xed, 0xfa
    ASK 0x02, 0xfa
    KEYS "sendkey left", 0xe0, 0x12, 0xe0, 0x6b, 0xe0, 0xf0, 0x6b, 0xe0, 0xf0, 0x12
    ASK 0xed, 0xfa
    ASK 0x00, 0xfa
    KEYS "sendkey left", 0xe0, 0x6b, 0xe0, 0xf0, 0x6b
    PART "set 2, translated"
    CCB CCB_KBD | 0x40
    KEYS "sendkey a", 0x1e, 0x9e
    KEYS "sendkey up", 0xe0, 0x48, 0xe0, 0xc8
    KEYS "sendkey f7", 0x41, 0xc1
    KEYS "sendkey pause", 0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5
    CCB CCB_KBD
    PART "set 1"
    ASK 0xf0, 0xfa
    ASK 0x01, 0xfa
    KEYS "sendkey a", 0x1e, 0x9e
    KEYS "sendkey up", 0xe0, 0x48, 0xe0, 0xc8
    KEYS "sendkey print", 0xe0, 0x2a, 0xe0, 0x37, 0xe0, 0xb7, 0xe0, 0xaa
    PART "set 3"
    ASK 0xf0, 0xfa
    ASK 0x03, 0xfa
    KEYS "sendkey shift", 0x12, 0xf0, 0x12 ; make and break
    KEYS "sendkey a", 0x1c                 ; typematic: no break
    KEYS "sendkey f1", 0x07                ; make only
    ASK 0xf8, 0xfa
    KEYS "sendkey up", 0x63, 0xf0, 0x63
    KEYS "sendkey a", 0x1c, 0xf0, 0x1c
    ASK 0xfd, 0xfa ; this one: make only
    ASK 0x1c, 0xfa
    ASK 0xf4, 0xfa
    KEYS "sendkey a", 0x1c
    KEYS "sendkey b", 0x32, 0xf0, 0x32
    ASK 0xf0, 0xfa
    ASK 0x02, 0xfa
    PART "scanning off"
    ASK 0xf5, 0xfa
    SAY "> sendkey a", 13, 10
    mov ax, 40
    call get
    MUST c
    ASK 0xf4, 0xfa
    KEYS "sendkey a", 0x1c, 0xf0, 0x1c
    ret

; ---- typematic
; count the make codes bl until the break; cx: how many; dx: ticks from the first to the second
count_makes:
    xor cx, cx
    xor dx, dx
    mov ax, WAIT_LONG
    call get
    jc .done
.make:
    cmp al, bl
    jne .done
    inc cx
    cmp cx, 1
    jne .not_first
    mov eax, [0x46c]
    mov [first], eax
.not_first:
    cmp cx, 2
    jne .not_second
    mov edx, [0x46c]
    sub edx, [first]
.not_second:
    mov ax, 30
    call get
    jnc .make
.done:
    push ax
    mov ax, WAIT_BYTE
    call get ; the code after F0
    pop ax
    ret
first: dd 0
%macro BETWEEN 3.nolist ; register, least, most
    mov ax, %1
    cmp ax, %2
    jb %%bad
    cmp ax, %3
    jbe %%good
%%bad:
    AXIS %2
%%good:
%endmacro
typematic:
    PART "typematic"
    ASK 0xf3, 0xfa
    ASK 0x00, 0xfa ; 250 ms, then 30 a second
    SAY "> sendkey b 1500", 13, 10
    mov bl, 0x32
    call count_makes
    ALIS 0xf0
    BETWEEN cx, 37, 40
    BETWEEN dx, 4, 6
    ASK 0xf3, 0xfa
    ASK 0x7f, 0xfa ; 1 s, then 2 a second
    SAY "> sendkey b 2800", 13, 10
    mov bl, 0x32
    call count_makes
    ALIS 0xf0
    BETWEEN cx, 5, 5
    BETWEEN dx, 17, 20
    ASK 0xf6, 0xfa
    CMD 0xad
    call flush
    ret

; ---- mouse
%macro MOUSE 1
    CMD 0xd4
    KBD %1
%endmacro
%macro MASK 2-*.nolist ; a byte to the mouse, and its answer
    MOUSE %1
  %rep %0 - 1
    %rotate 1
    GET %1
  %endrep
%endmacro
%macro RATE 1.nolist
    MASK 0xf3, 0xfa
    MASK %1, 0xfa
%endmacro
mouse:
    PART "mouse commands"
    CCB CCB_AUX
    MOUSE 0xff
    GET 0xfa
    mov ax, 40
    call get
    AXIS 0xaa
    GET 0x00
    mov al, [from]
    ALIS 0x20
    MASK 0xf2, 0xfa, 0x00
    MASK 0xe9, 0xfa, 0x00, 0x02, 0x64
    MASK 0xe8, 0xfa
    MASK 0x03, 0xfa
    RATE 40
    MASK 0xe7, 0xfa
    MASK 0xf4, 0xfa
    MASK 0xe9, 0xfa, 0x30, 0x03, 0x28
    MASK 0xf6, 0xfa
    MASK 0xe9, 0xfa, 0x00, 0x02, 0x64
    MASK 0xee, 0xfa ; wrap
    MASK 0xe9, 0xe9
    MASK 0x55, 0x55
    MASK 0xec, 0xfa
    MASK 0xf0, 0xfa ; remote
    MASK 0xe9, 0xfa, 0x40, 0x02, 0x64
    MASK 0xeb, 0xfa, 0x08, 0x00, 0x00
    MASK 0xea, 0xfa
    PART "mouse reports"
    RATE 200
    MASK 0xf4, 0xfa
    KEYS "mouse_move 5 3", 0x28, 0x05, 0xfd
    KEYS "mouse_move -7 -2", 0x18, 0xf9, 0x02
    KEYS "mouse_button 1", 0x09, 0x00, 0x00
    KEYS "mouse_button 6", 0x0e, 0x00, 0x00
    KEYS "mouse_button 0", 0x08, 0x00, 0x00
    MASK 0xe7, 0xfa
    KEYS "mouse_move 6 -3", 0x08, 0x0c, 0x03
    MASK 0xe6, 0xfa
    MASK 0xf5, 0xfa
    PART "wheel"
    RATE 60 ; no part of the knock
    RATE 200
    RATE 100
    RATE 80
    MASK 0xf2, 0xfa, 0x03
    MASK 0xf4, 0xfa
    KEYS "mouse_move 1 0 1", 0x08, 0x01, 0x00, 0xff
    KEYS "mouse_move 1 0 -1", 0x08, 0x01, 0x00, 0x01
    MASK 0xf5, 0xfa
    PART "five buttons"
    RATE 200
    RATE 200
    RATE 80
    MASK 0xf2, 0xfa, 0x04
    MASK 0xf4, 0xfa
    KEYS "mouse_move 1 0 1", 0x08, 0x01, 0x00, 0x0f
    MASK 0xf5, 0xfa
    MOUSE 0xff
    GET 0xfa
    mov ax, 40
    call get
    AXIS 0xaa
    GET 0x00
    MASK 0xf2, 0xfa, 0x00
    ret
    PAD_CODE
