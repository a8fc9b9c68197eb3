; A ROM without a BIOS that keeps the whole board busy for test_machine_snap.c, and never ends:
; bus-master DMA reads and writes with their interrupts, PIT, RTC, keyboard, mouse, serial port both
; ways, an NE2000 that is echoed to, x87 and a running sum of all that was seen.
; The sums at 0:6000h make any difference stay visible.  Memory: 5000h PRD table, 6000h variables,
; 10000h disk buffer (48 KB), 20000h frame.
cpu 686
bits 16
org 0
V_SUM  equ 0x6000 ; of everything that came in
V_DONE equ 0x6004 ; the disk has interrupted
V_SEED equ 0x6008
V_TICK equ 0x600c
V_DISK equ 0x6010 ; transfers finished
V_KEYS equ 0x6014
V_RX   equ 0x6018 ; serial bytes
V_NET  equ 0x601c ; frames
V_NEXT equ 0x6020 ; NE2000: next page to read
V_REAL equ 0x6028
NE     equ 0x300
BM     equ 0xc000
TX_PAGE equ 0x40
RX_FIRST equ 0x4c
RX_END equ 0x80

%macro OUT 2 ; port, byte
    mov dx, %1
    mov al, %2
    out dx, al
%endmacro
%macro OUTD 2
    mov dx, %1
    mov eax, %2
    out dx, eax
%endmacro
%macro VECTOR 2
    mov word [%1 * 4], %2
    mov word [%1 * 4 + 2], 0xf000
%endmacro
; eax into the sum
%macro SUM 0
    rol dword [V_SUM], 5
    add [V_SUM], eax
%endmacro

start:
    cli
    xor ax, ax
    mov ds, ax
    mov es, ax
    mov ss, ax
    mov sp, 0x4000
    cld
    xor di, di
    mov cx, 256
.ivt:
    mov word [di], ignore
    mov word [di + 2], 0xf000
    add di, 4
    loop .ivt
    mov di, 0x6000
    mov cx, 0x100
    rep stosb
    mov dword [V_SEED], 12345
    VECTOR 0x20, on_timer
    VECTOR 0x21, on_key
    VECTOR 0x24, on_serial
    VECTOR 0x28, on_rtc
    VECTOR 0x29, on_net
    VECTOR 0x2c, on_key
    VECTOR 0x2e, on_disk
    ; 8259s
    OUT 0x20, 0x11
    OUT 0x21, 0x20
    OUT 0x21, 4
    OUT 0x21, 1
    OUT 0xa0, 0x11
    OUT 0xa1, 0x28
    OUT 0xa1, 2
    OUT 0xa1, 1
    OUT 0x21, 0xe8 ; timer, keyboard, cascade, COM1
    OUT 0xa1, 0xac ; RTC, 9, mouse, 14
    ; PIT: some 900 Hz, and a tone
    OUT 0x43, 0x34
    OUT 0x40, 0x2f
    OUT 0x40, 0x05
    OUT 0x43, 0xb6
    OUT 0x42, 0x71
    OUT 0x42, 0x07
    OUT 0x61, 3
    ; RTC: periodic at 1024 Hz, update ended
    OUT 0x70, 0x0a
    OUT 0x71, 0x26
    OUT 0x70, 0x0b
    OUT 0x71, 0x52
    ; COM1
    OUT 0x3fb, 0x80
    OUT 0x3f8, 1
    OUT 0x3f9, 0
    OUT 0x3fb, 3
    OUT 0x3fa, 0x87
    OUT 0x3fc, 0x0b
    OUT 0x3f9, 3
    ; keyboard controller: both interrupts; mouse reports on
    call kbc_wait
    OUT 0x64, 0x60
    call kbc_wait
    OUT 0x60, 0x47
    call kbc_wait
    OUT 0x64, 0xd4
    call kbc_wait
    OUT 0x60, 0xf4
    ; IDE function 0:1.1: BAR4, bus master, both channels decoded
    OUTD 0xcf8, 0x80000920
    OUTD 0xcfc, BM | 1
    OUTD 0xcf8, 0x80000904
    OUTD 0xcfc, 5
    OUTD 0xcf8, 0x80000940
    OUTD 0xcfc, 0x80008000
    OUT 0x3f6, 0
    call net_init
    fninit
    fldpi
    sti

main:
    ; next transfer: a random place, now and then a write of what was read
    mov eax, [V_SEED]
    imul eax, eax, 1664525
    add eax, 1013904223
    mov [V_SEED], eax
    ; PRD: two parts, the second one ends the table
    shr eax, 20
    and eax, 0x3e
    add eax, 2
    mov ecx, eax             ; sectors, 2 .. 64, even
    shl eax, 8               ; half of the bytes
    mov dword [0x5000], 0x10000
    mov [0x5004], eax
    mov edx, 0x14000         ; the second half at 14000h
    mov [0x5008], edx
    or eax, 0x80000000
    mov [0x500c], eax
    OUT BM + 2, 6            ; clear interrupt and error
    OUTD BM + 4, 0x5000
    mov bl, 8                ; toward memory
    mov bh, 0xc8             ; READ DMA
    test byte [V_SEED + 1], 3
    jnz .read
    mov bl, 0
    mov bh, 0xca             ; WRITE DMA
.read:
    OUT BM, bl
    mov dword [V_DONE], 0
    OUT 0x1f6, 0xe0
    mov dx, 0x1f2
    mov al, cl
    out dx, al
    mov dx, 0x1f3
    mov al, [V_SEED + 2]
    out dx, al
    mov dx, 0x1f4
    mov al, [V_SEED + 3]
    and al, 3
    out dx, al
    OUT 0x1f5, 0
    OUT 0x1f7, bh
    or bl, 1
    OUT BM, bl
    ; half of the times calculate meanwhile, else halt
    test byte [V_SEED + 2], 0x10
    jz .halt
.work:
    mov si, 0
    mov ax, 0x1000
    mov es, ax
    mov cx, 512
.add:
    es lodsd
    SUM
    loop .add
    xor ax, ax
    mov es, ax
    fld1
    fadd st1, st0
    fmulp st1, st0
    fst qword [V_REAL]
    fiadd dword [V_TICK]
    mov dx, 0x1f7
    in al, dx
    cmp dword [V_DONE], 0
    je .work
    jmp .done
.halt:
    cli
    cmp dword [V_DONE], 0
    jne .woken
    sti
    hlt
    jmp .halt
.woken:
    sti
.done:
    OUT BM, 0
    inc dword [V_DISK]
    ; stir the buffer, so that what is written next is new
    mov ax, 0x1000
    mov es, ax
    mov eax, [V_SUM]
    add [es:0x10], eax
    mov di, 0x4000
    mov cx, 64
    rep stosd
    xor ax, ax
    mov es, ax
    ; the rest of the sectors waits for some ticks of the PIT, read the latched way
    OUT 0x43, 0
    in al, 0x40
    mov ah, al
    in al, 0x40
    movzx eax, ax
    SUM
    jmp main

kbc_wait:
    in al, 0x64
    test al, 2
    jnz kbc_wait
    ret

ignore:
    iret
%macro ENTER 0
    push eax
    push edx
    push ecx
    push esi
    push edi
    push ds
    push es
    xor ax, ax
    mov ds, ax
    mov es, ax
%endmacro
leave_slave:
    OUT 0xa0, 0x20
leave_master:
    OUT 0x20, 0x20
    pop es
    pop ds
    pop edi
    pop esi
    pop ecx
    pop edx
    pop eax
    iret
on_timer:
    ENTER
    inc dword [V_TICK]
    ; a byte to the serial port when there is room
    mov dx, 0x3fd
    in al, dx
    test al, 0x20
    jz leave_master
    mov dx, 0x3f8
    mov al, [V_SUM + 1]
    out dx, al
    jmp leave_master
on_key:
    ENTER
    in al, 0x64
    test al, 1
    jz leave_slave
    in al, 0x60
    movzx eax, al
    SUM
    inc dword [V_KEYS]
    jmp leave_slave
on_serial:
    ENTER
.more:
    mov dx, 0x3fa
    in al, dx
    test al, 1
    jnz leave_master
    mov dx, 0x3fd
    in al, dx
    test al, 1
    jz .more
    mov dx, 0x3f8
    in al, dx
    movzx eax, al
    SUM
    inc dword [V_RX]
    jmp .more
on_rtc:
    ENTER
    OUT 0x70, 0x0c
    in al, 0x71
    movzx eax, al
    SUM
    jmp leave_slave
on_disk:
    ENTER
    mov dx, BM + 2
    in al, dx
    test al, 4
    jz leave_slave
    movzx eax, al
    SUM
    OUT BM + 2, 4
    mov dx, 0x1f7
    in al, dx
    movzx eax, al
    SUM
    mov dword [V_DONE], 1
    jmp leave_slave

; ---- NE2000 (DP8390D), if there is one ----
net_init:
    mov dx, NE + 0x1f
    in al, dx
    out dx, al               ; reset
    OUT NE, 0x21             ; page 0, stop
    mov dx, NE
    in al, dx
    cmp al, 0x21
    jne .none
    OUT NE + 14, 0x49        ; DCR: words, FIFO at 8 bytes
    OUT NE + 10, 0
    OUT NE + 11, 0
    OUT NE + 12, 0x1e        ; RCR: broadcast, multicast, promiscuous, runts
    OUT NE + 13, 2           ; TCR: loopback until set up
    OUT NE + 1, RX_FIRST
    OUT NE + 2, RX_END
    OUT NE + 3, RX_END - 1
    OUT NE + 7, 0xff
    OUT NE + 15, 0x1b        ; received, sent, errors, overwrite
    OUT NE, 0x61             ; page 1
    OUT NE + 7, RX_FIRST
    OUT NE, 0x22             ; start
    OUT NE + 13, 0
    mov byte [V_NEXT], RX_FIRST
.none:
    ret
; remote read: ebx = address | length << 16, to es:di
net_read:
    OUT NE, 0x22
    mov dx, NE + 8
    mov al, bl
    out dx, al
    inc dx
    mov al, bh
    out dx, al
    ror ebx, 16
    inc dx
    mov al, bl
    out dx, al
    inc dx
    mov al, bh
    out dx, al
    OUT NE, 0x0a
    mov cx, bx
    inc cx
    shr cx, 1
    mov dx, NE + 0x10
    rep insw
    ret
on_net:
    ENTER
    push ebx
.again:
    mov dx, NE + 7
    in al, dx
    movzx eax, al
    SUM
    mov dx, NE + 7
    out dx, al
    ; while the card's page is not ours: a frame
.frames:
    OUT NE, 0x62
    mov dx, NE + 7
    in al, dx
    mov ah, al
    OUT NE, 0x22
    cmp ah, [V_NEXT]
    je .empty
    mov ax, 0x2000
    mov es, ax
    xor di, di
    xor ebx, ebx
    mov bh, [V_NEXT]
    or ebx, 4 << 16
    call net_read            ; status, next, length
    cmp byte [es:1], RX_FIRST
    jb .lost
    cmp byte [es:1], RX_END
    jae .lost
    mov cx, [es:2]
    cmp cx, 1600
    ja .lost
    mov di, 4
    movzx ebx, cx
    shl ebx, 16
    mov bh, [V_NEXT]
    mov bl, 4
    call net_read
    mov al, [es:1]
    mov [V_NEXT], al
    dec al
    cmp al, RX_FIRST
    jae .bnry
    mov al, RX_END - 1
.bnry:
    mov dx, NE + 3
    out dx, al
    inc dword [V_NET]
    mov si, 4
    mov cx, 15
.sum:
    es lodsd
    SUM
    loop .sum
    ; answer every other frame with its head, if the transmitter is free
    test byte [V_NET], 1
    jz .frames
    mov dx, NE
    in al, dx
    test al, 4
    jnz .frames
    OUT NE + 8, 0
    OUT NE + 9, TX_PAGE
    OUT NE + 10, 100
    OUT NE + 11, 0
    OUT NE, 0x12
    mov si, 4
    mov cx, 50
    mov dx, NE + 0x10
    push ds
    push es
    pop ds
    rep outsw
    pop ds
    OUT NE + 4, TX_PAGE
    OUT NE + 5, 100
    OUT NE + 6, 0
    OUT NE, 0x26
    jmp .frames
.lost:                       ; begin again at the card's page
    OUT NE, 0x62
    mov dx, NE + 7
    in al, dx
    mov [V_NEXT], al
    OUT NE, 0x22
.empty:
    mov dx, NE + 7
    in al, dx
    test al, 0x1b
    jnz .again
    pop ebx
    jmp leave_slave

    times 0xfff0 - ($ - $$) db 0xff
    jmp 0xf000:start
    times 0x10000 - ($ - $$) db 0xff
