; Paging: A and D, error codes, WP, U/S, 4 MB pages, global pages, PAE, NX, reserved bits.
%include "common.inc"
PD  equ 0x10000
PT0 equ 0x11000 ; identity for 0..4M
PT1 equ 0x12000 ; 400000..7FFFFF: the test's
PDPT equ 0x13000
PGA equ 0x14000
PD2 equ 0x15000
PGB equ 0x16000
PT2 equ 0x17000 ; PAE: 400000..5FFFFF
L   equ 0x400000
%macro PTE 2 ; page of L, entry
    mov dword [PT1 + (%1) * 4], %2
    invlpg [L + (%1) * 0x1000]
%endmacro
PROTECTED_MODE
    bits 32
tests:
    mov edi, PT0
    mov eax, 7
    mov ecx, 1024
.id:
    stosd
    add eax, 0x1000
    loop .id
    mov dword [PD], PT0 | 7
    mov dword [PD + 4], PT1 | 7
    mov edi, PGA
    mov eax, 0xaaaaaaaa
    mov ecx, 1024
    rep stosd
    mov edi, PGB
    mov eax, 0xbbbbbbbb
    mov ecx, 1024
    rep stosd
    mov eax, PD
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    jmp .on
.on:
    TEST 1 ; accessed and dirty
    PTE 0, PGA | 7
    EXPECT dword [L], 0xaaaaaaaa
    EXPECT dword [PT1], PGA | 0x27
    EXPECT dword [PD + 4], PT1 | 0x27
    mov dword [L + 4], 1
    EXPECT dword [PT1], PGA | 0x67
    EXPECT dword [PD + 4], PT1 | 0x27
    PTE 0, PGA | 7 ; written first: A and D at once
    inc dword [L + 4]
    EXPECT dword [PT1], PGA | 0x67

    TEST 2 ; not present
    PTE 1, PGB | 6
    FAULT_BEGIN
    mov eax, [L + 0x1234]
    FAULT_END 14, 0
    EXPECT dword [V_CR2], L + 0x1234
    FAULT_BEGIN
    mov [L + 0x1234], eax
    FAULT_END 14, 2
    FAULT_BEGIN
    add dword [L + 0x1238], 1 ; read-modify-write faults as a write
    FAULT_END 14, 2
    FAULT_BEGIN
    mov eax, [0x800000]
    FAULT_END 14, 0
    FAULT_BEGIN
    USER u_read
    FAULT_END 14, 4
    FAULT_BEGIN
    USER u_write
    FAULT_END 14, 6
    EXPECT dword [PT1 + 4], PGB | 6

    TEST 3 ; WP
    PTE 1, PGB | 5
    mov dword [L + 0x1000], 0xbbbbbbbb
    EXPECT dword [PT1 + 4], PGB | 0x65
    mov eax, cr0
    or eax, 0x10000
    mov cr0, eax
    FAULT_BEGIN
    mov dword [L + 0x1000], 1
    FAULT_END 14, 3
    mov eax, [L + 0x1000]
    EXPECT eax, 0xbbbbbbbb
    FAULT_BEGIN
    USER u_write
    FAULT_END 14, 7
    FAULT_BEGIN
    USER u_read
    FAULT_END 0x30
    mov eax, cr0
    and eax, ~0x10000
    mov cr0, eax
    mov dword [L + 0x1000], 0xbbbbbbbb ; and off again
    FAULT_BEGIN
    USER u_write ; ring 3 does not care about WP
    FAULT_END 14, 7

    TEST 4 ; supervisor pages
    PTE 1, PGB | 3
    FAULT_BEGIN
    USER u_read
    FAULT_END 14, 5
    FAULT_BEGIN
    USER u_write
    FAULT_END 14, 7
    mov eax, [L + 0x1000]
    FAULT_BEGIN
    USER u_read ; what level 0 put into the TLB does not help ring 3
    FAULT_END 14, 5
    PTE 1, PGB | 7
    mov dword [PD + 4], PT1 | 3 ; both levels count
    mov eax, cr3
    mov cr3, eax
    FAULT_BEGIN
    USER u_read
    FAULT_END 14, 5
    mov dword [PD + 4], PT1 | 5
    mov eax, cr3
    mov cr3, eax
    FAULT_BEGIN
    USER u_write
    FAULT_END 14, 7
    mov dword [PD + 4], PT1 | 7
    mov eax, cr3
    mov cr3, eax

    TEST 5 ; an access over two pages is one access
    PTE 0, PGA | 7
    PTE 1, PGB | 6
    mov dword [L + 0xffc], 0xaaaaaaaa
    FAULT_BEGIN
    mov dword [L + 0xffe], 0x12345678
    FAULT_END 14, 2
    EXPECT dword [V_CR2], L + 0x1000
    EXPECT dword [PGA + 0xffc], 0xaaaaaaaa
    PTE 1, PGB | 7
    mov dword [L + 0xffe], 0x12345678
    EXPECT word [PGA + 0xffe], 0x5678
    EXPECT word [PGB], 0x1234
    EXPECT dword [L + 0xffe], 0x12345678
    inc dword [L + 0xffe]
    EXPECT word [PGA + 0xffe], 0x5679
    mov word [PGA + 0xffe], 0xaaaa
    mov word [PGB], 0xbbbb

    TEST 6 ; INVLPG and CR3 show the new mapping
    PTE 0, PGA | 7
    EXPECT byte [L + 0x10], 0xaa
    PTE 0, PGB | 7
    EXPECT byte [L + 0x10], 0xbb
    mov dword [PT1], PGA | 7
    mov eax, cr3
    mov cr3, eax
    EXPECT byte [L + 0x10], 0xaa

    TEST 7 ; 4 MB pages
    mov eax, cr4
    or eax, 0x10
    mov cr4, eax
    mov dword [PD + 8], 0x87
    EXPECT byte [0x800000 + PGA + 0x20], 0xaa
    EXPECT dword [PD + 8], 0xa7
    mov byte [0x800000 + PGB + 0x20], 0x55
    EXPECT dword [PD + 8], 0xe7
    EXPECT byte [PGB + 0x20], 0x55
    mov byte [PGB + 0x20], 0xbb
    mov dword [PD + 8], 0x400087 ; physical 4 MB
    invlpg [0x9ff000] ; any address in it
    mov dword [0x800000 + PGA + 0x20], 0x77777777
    EXPECT byte [PGA + 0x20], 0xaa
    mov dword [PD + 8], 0x200087 ; bit 21 is reserved
    invlpg [0x800000]
    FAULT_BEGIN
    mov eax, [0x812345]
    FAULT_END 14, 9
    EXPECT dword [V_CR2], 0x812345
    FAULT_BEGIN
    mov [0x812345], eax
    FAULT_END 14, 11
    mov dword [PD + 8], 0
    invlpg [0x800000]

    TEST 8 ; global pages outlive CR3, not CR4.PGE
    mov eax, cr4
    or eax, 0x80
    mov cr4, eax
    PTE 2, PGA | 0x107
    PTE 3, PGA | 7
    EXPECT byte [L + 0x2010], 0xaa
    EXPECT byte [L + 0x3010], 0xaa
    mov dword [PT1 + 8], PGB | 0x107
    mov dword [PT1 + 12], PGB | 7
    mov eax, cr3
    mov cr3, eax
    EXPECT byte [L + 0x2010], 0xaa
    EXPECT byte [L + 0x3010], 0xbb
    mov eax, cr4
    and eax, ~0x80
    mov cr4, eax
    EXPECT byte [L + 0x2010], 0xbb
    or eax, 0x80
    mov cr4, eax
    mov al, [L + 0x2010]
    mov dword [PT1 + 8], PGA | 0x107
    invlpg [L + 0x2000] ; INVLPG drops global ones
    EXPECT byte [L + 0x2010], 0xaa

    TEST 9 ; fetching
    PTE 4, PGA | 6
    FAULT_BEGIN
    mov eax, L + 0x4000
    jmp eax
    FAULT_END 14, 0
    EXPECT dword [V_CR2], L + 0x4000
    EXPECT dword [V_EIP], L + 0x4000
    PTE 4, PGA | 7
    mov word [PGA + 0xffe], 0x05c7 ; mov dword [V_TMP], x: over the page's end
    mov dword [PGB], V_TMP
    mov dword [PGB + 4], 0x13579bdf
    mov byte [PGB + 8], 0xc3
    PTE 5, PGB | 6
    FAULT_BEGIN
    mov eax, L + 0x4ffe
    call eax
    FAULT_END 14, 0
    EXPECT dword [V_CR2], L + 0x5000
    EXPECT dword [V_EIP], L + 0x4ffe
    PTE 5, PGB | 7
    mov eax, L + 0x4ffe
    call eax
    EXPECT dword [V_TMP], 0x13579bdf

    TEST 10 ; PAE
    mov edi, PD2
    mov dword [PDPT], PD2 | 1
    mov dword [PDPT + 4], 0
    mov dword [PD2], 0x87      ; 0..2M
    mov dword [PD2 + 4], 0
    mov dword [PD2 + 8], 0x200087
    mov dword [PD2 + 12], 0
    mov dword [PD2 + 16], PT2 | 7 ; 4M..6M
    mov dword [PD2 + 20], 0
    mov dword [PT2], PGA | 7
    mov dword [PT2 + 4], 0
    mov dword [PT2 + 8], PGB | 7
    mov dword [PT2 + 12], 0x80000000 ; NX without NXE: reserved
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    mov eax, PDPT
    mov cr3, eax
    mov eax, cr4
    or eax, 0x20
    mov cr4, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    EXPECT byte [L + 0x10], 0xaa
    EXPECT dword [PT2], PGA | 0x27
    EXPECT dword [PD2 + 16], PT2 | 0x27
    FAULT_BEGIN
    mov al, [L + 0x1000]
    FAULT_END 14, 9
    FAULT_BEGIN
    mov al, [0x40000000]
    FAULT_END 14, 0
    mov dword [PD2 + 8], 0x206087 ; reserved bits of a 2 MB page
    invlpg [0x200000]
    FAULT_BEGIN
    mov al, [0x200000]
    FAULT_END 14, 9
    mov dword [PD2 + 8], 0x200087
    mov dword [PDPT + 8], 0x103 ; reserved bits in a PDPTE
    FAULT_BEGIN
    mov eax, PDPT
    mov cr3, eax
    FAULT_END 13, 0
    mov dword [PDPT + 8], 0
    mov dword [PDPT + 4 * 2 + 8], 0
    ; PDPTEs are read when CR3 is loaded, not before
    mov dword [PDPT + 8], PD2 | 1 ; 40000000: the same again
    FAULT_BEGIN
    mov al, [0x40000000]
    FAULT_END 14, 0
    mov eax, PDPT
    mov cr3, eax
    EXPECT byte [0x40000000 + L + 0x10], 0xaa

    TEST 11 ; NX
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x800
    wrmsr
    EXPECT byte [L + 0x1010], 0xbb ; NX does not stop reading
    mov byte [PGB + 0x40], 0xc3
    FAULT_BEGIN
    mov eax, L + 0x1040
    call eax
    FAULT_END 14, 0x11
    EXPECT dword [V_EIP], L + 0x1040
    mov dword [PT2 + 12], 0
    invlpg [L + 0x1000]
    mov eax, L + 0x1040
    call eax
    FAULT_BEGIN
    mov eax, 0x40600000
    call eax
    FAULT_END 14, 0x10

    TEST 12 ; off again
    mov eax, cr0
    and eax, 0x7fffffff
    mov cr0, eax
    mov byte [PGA + 0x10], 0x11
    EXPECT byte [PGA + 0x10], 0x11
    jmp pass
u_read:
    mov eax, [ss:L + 0x1004]
    int 0x30
u_write:
    mov [ss:L + 0x1004], eax
    int 0x30
ROM_END
