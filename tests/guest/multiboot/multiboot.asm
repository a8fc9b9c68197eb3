; A Multiboot kernel that checks what it was given.  Text goes to port 402h, the result to port 501h.
; nasm -f bin, with its ELF header written out here, in these variants:
;   (none)      ELF, two segments, one of them with zeros behind its data, entry given virtually
;   -DKLUDGE    no ELF: the addresses in the Multiboot header
;   -DVIDEO     asks for 800x600 in 32 bits, and draws
; Expected: command line "PATH one two", modules "first module" with "MODA x" and "second" with "MODB".
; Multiboot Specification 0.6.96, "Boot information format"
bits 32
BASE    equ 0x200000
VIRT    equ 0xc0200000
DATA    equ 0x300000
MAGIC   equ 0x1badb002
%ifdef KLUDGE
  %define FLAGS 0x10003
%elifdef VIDEO
  %define FLAGS 7
%else
  %define FLAGS 3
%endif
org BASE
file:
%ifndef KLUDGE
    db 0x7f, 'ELF', 1, 1, 1, 0
    times 8 db 0
    dw 2, 3                     ; executable, i386
    dd 1, start - BASE + VIRT, headers - file, 0, 0
    dw 52, 32, 2, 0, 0, 0
headers:
    dd 1, 0, VIRT, BASE, text_end - file, text_end - file, 5, 4096
    dd 1, data - file, VIRT + DATA - BASE, DATA, 8, 8 + 65536, 6, 4096
%endif
    align 4, db 0
mb:
    dd MAGIC, FLAGS, -(MAGIC + FLAGS)
%ifdef KLUDGE
    dd mb, file, text_end, text_end + 65536, start
%else
    dd 0, 0, 0, 0, 0
%endif
    dd 0, 800, 600, 32          ; linear graphics

%macro SAY 1
    mov esi, %1
    call say
%endmacro
%macro NEED 2 ; condition that is right, text
    j%1 %%ok
    mov esi, %%text
    jmp fail
%%text: db %2, 10, 0
%%ok:
%endmacro

start:
    mov esp, stack_top
    cmp eax, 0x2badb002
    NEED e, "EAX is not the magic"
    pushfd
    pop eax
    test eax, 0x20200
    NEED z, "EFLAGS: VM or IF"
    mov eax, cr0
    and eax, 0x80000001
    cmp eax, 1
    NEED e, "CR0: PG or not PE"
    mov ax, ds
    lsl ecx, eax
    cmp ecx, 0xffffffff
    NEED e, "DS is not flat"
    ; A20: 1 MB is not 0
    mov dword [0x100000], 0x12345678
    mov dword [0x0], 0
    cmp dword [0x100000], 0x12345678
    NEED e, "A20 is off"
    mov eax, [ebx]
    and eax, 0x24f
    cmp eax, 0x24f
    NEED e, "flags"
    cmp dword [ebx + 4], 639
    NEED e, "mem_lower"
    ; mem_upper and the map: the entry at 1 MB, of RAM, as long as mem_upper
    mov esi, [ebx + 48]
    mov ecx, [ebx + 44]
    add ecx, esi
map:
    cmp esi, ecx
    NEED b, "no RAM at 1 MB in the map"
    cmp dword [esi], 20
    NEED e, "size of a map entry"
    cmp dword [esi + 4], 0x100000
    je .found
    add esi, [esi]
    add esi, 4
    jmp map
.found:
    cmp dword [esi + 20], 1
    NEED e, "the type at 1 MB"
    mov eax, [esi + 12]
    shr eax, 10
    cmp eax, [ebx + 8]
    NEED e, "mem_upper"
    cmp eax, 31 * 1024 - 512
    NEED a, "mem_upper is less than -m 32 gives"
    ; command line: ends with " one two"
    mov edi, [ebx + 16]
    call length
    lea esi, [edi + ecx - 8]
    mov edi, tail
    mov ecx, 9
    repe cmpsb
    NEED e, "command line"
    mov edi, [ebx + 64]
    cmp dword [edi], 'vitr'
    NEED e, "boot loader name"
    ; modules
    cmp dword [ebx + 20], 2
    NEED e, "number of modules"
    mov edx, [ebx + 24]
    mov eax, [edx]
    test eax, 0xfff
    NEED z, "module 0 is not on a page"
    cmp eax, bss_end
    NEED ae, "module 0 lies on the kernel"
    mov ecx, [edx + 4]
    sub ecx, eax
    cmp ecx, 12
    NEED e, "length of module 0"
    mov esi, eax
    mov edi, first
    repe cmpsb
    NEED e, "module 0"
    mov edi, [edx + 8]
    call length
    lea esi, [edi + ecx - 6]
    mov edi, mod_line
    mov ecx, 7
    repe cmpsb
    NEED e, "command line of module 0"
    mov eax, [edx + 16]
    test eax, 0xfff
    NEED z, "module 1 is not on a page"
    cmp dword [eax], 'seco'
    NEED e, "module 1"
    ; zeros
    mov edi, bss
    mov ecx, 65536 / 4
    xor eax, eax
    repe scasd
    NEED e, "zeros behind the data"
%ifndef KLUDGE
    cmp dword [DATA], 'data'
    NEED e, "second segment"
%endif
%ifdef VIDEO
    mov eax, [ebx]
    and eax, 0x1800
    cmp eax, 0x1800
    NEED e, "no VBE or framebuffer information"
    mov esi, [ebx + 76]
    cmp word [esi + 0x12], 800
    NEED e, "VBE mode: width"
    cmp dword [ebx + 100], 800
    NEED e, "width"
    cmp dword [ebx + 104], 600
    NEED e, "height"
    cmp byte [ebx + 108], 32
    NEED e, "depth"
    cmp dword [ebx + 110], 0x08080810
    NEED e, "color positions"
    mov esi, [ebx + 72]
    cmp dword [esi], 'VESA'
    NEED e, "VBE control information"
    ; a red and a blue half
    mov edi, [ebx + 88]
    mov edx, 600
.row:
    push edi
    mov eax, 0xff0000
    mov ecx, 400
    rep stosd
    mov eax, 0x0000ff
    mov ecx, 400
    rep stosd
    pop edi
    add edi, [ebx + 96]
    dec edx
    jnz .row
    SAY pass
.stay:
    hlt
    jmp .stay
%endif
    SAY pass
    xor eax, eax
    mov dx, 0x501
    out dx, ax
    hlt

fail:
    call say
    mov dx, 0x501
    mov ax, 1
    out dx, ax
    hlt
say:
    mov dx, 0x402
.next:
    lodsb
    test al, al
    jz .done
    out dx, al
    jmp .next
.done:
    ret
; ecx = length of the string at edi
length:
    xor ecx, ecx
.next:
    cmp byte [edi + ecx], 0
    je .done
    inc ecx
    jmp .next
.done:
    ret

pass: db "PASS", 10, 0
tail: db " one two", 0
first: db "first module"
mod_line: db "MODA x", 0
    align 16, db 0
%ifdef KLUDGE
text_end:
bss equ text_end
%else
data:
text_end equ data
    db 'data', 0, 0, 0, 0
bss equ DATA + 8
%endif
bss_end equ bss + 65536
stack_top equ 0x80000
