; 4-level paging: A and D, every bit of the error code, WP, NX, SMEP, SMAP with its implicit accesses,
; reserved bits of 4 KB, 2 MB and 1 GB pages, PCIDs and INVPCID, canonical addresses.
; What CPUID does not offer is not tried.  Of stale translations only what is guaranteed: that there are
; none after INVLPG, a load of CR3, INVPCID, and never one of another PCID.
%include "common.inc"
%include "long.inc"
PROTECTED_MODE
LONG_MODE
    cpu default
P4  equ 0x17000
P3  equ 0x18000
P2  equ 0x19000 ; the first GB: 2 MB of the supervisor's, L
P2U equ 0x1a000 ; the second GB, UL: the same memory for ring 3
P1  equ 0x1b000 ; L
P4B equ 0x1c000 ; of another PCID
PGA equ 0x1d000
PGB equ 0x1e000
P3B equ 0x1f000
P2B equ 0x10000
P1B equ PML4    ; long_setup's tables are not used after the change to ours
L   equ 0x20000000
UL  equ 0x40000000
G1  equ 0x80000000 ; 1 GB page
NX  equ 1 << 63
CPU1C equ 0x700 ; CPUID's answers
CPU7B equ 0x704
CPU7C equ 0x708
CPUXD equ 0x70c
PHYS equ 0x710  ; mask of the reserved physical address bits, 0: none
DESCR equ 0x720 ; INVPCID's
%macro PTE 2 ; page of L, entry; changes RAX
    mov rax, %2
    mov [P1 + (%1) * 8], rax
    invlpg [L + (%1) * 0x1000]
%endmacro
%macro ENTRY 3 ; table, index, value
    mov rax, %3
    mov [%1 + (%2) * 8], rax
    mov rax, cr3
    mov cr3, rax
%endmacro
%macro IFBIT 3 ; word, bit, where to go without it
    bt dword [%1], %2
    jnc %3
%endmacro
%macro UFAULT 2-3 ; label run in ring 3 must end with vector, error
    F64_BEGIN
    push S_UDATA
    push UL + STACK3
    push 2
    push U64
    push UL + %1
    iretq
  %if %0 > 2
    F64_END %2, %3
  %else
    F64_END %2
  %endif
%endmacro
%macro CR4SET 1
    mov rax, cr4
    or rax, %1
    mov cr4, rax
%endmacro
%macro CR4CLR 1
    mov rax, cr4
    and rax, ~(%1)
    mov cr4, rax
%endmacro
    bits 32
tests:
    mov eax, 1
    cpuid
    mov [CPU1C], ecx
    mov eax, 7
    xor ecx, ecx
    cpuid
    mov [CPU7B], ebx
    mov [CPU7C], ecx
    mov eax, 0x80000001
    cpuid
    mov [CPUXD], edx
    call long_setup
    mov edi, P4
    mov ecx, 0x8000 / 4 + 0x1000 / 4
    xor eax, eax
    rep stosd
    mov edi, P2B
    mov ecx, 0x400
    rep stosd
    mov edi, PGA
    mov eax, 0xaaaaaaaa
    mov ecx, 1024
    rep stosd
    mov eax, 0xbbbbbbbb
    mov ecx, 1024
    rep stosd
    mov dword [P4], P3 | 7
    mov dword [P3], P2 | 7
    mov dword [P3 + 8], P2U | 7
    mov dword [P2], 0x83
    mov dword [P2U], 0x87
    mov dword [P2 + (L >> 21) * 8], P1 | 7
    call long_enter
    TO64
    mov eax, P4
    mov cr3, rax
    call long_tables
    mov qword [PHYS], 0
    mov eax, 0x80000008
    cpuid
    cmp al, 52
    jae .wide
    mov cl, al
    mov rax, 0xfffffffffffff ; bits 51:0
    shr rax, cl
    shl rax, cl
    mov [PHYS], rax
.wide:

    TEST 1 ; accessed in every level, dirty in the last
    PTE 0, PGA | 7
    EXPECTR dword [L], 0xaaaaaaaa
    EXPECTR qword [P1], PGA | 0x27
    EXPECTR qword [P2 + (L >> 21) * 8], P1 | 0x27
    EXPECTR qword [P3], P2 | 0x27
    EXPECTR qword [P4], P3 | 0x27
    mov dword [L + 4], 1
    EXPECTR qword [P1], PGA | 0x67
    EXPECTR qword [P2 + (L >> 21) * 8], P1 | 0x27
    PTE 0, PGA | 7
    inc dword [L + 4]
    EXPECTR qword [P1], PGA | 0x67
    PTE 0, PGA | 7
    lock inc dword [L + 4]
    EXPECTR qword [P1], PGA | 0x67
    PTE 0, PGA | 7
    prefetcht0 [L]
    invlpg [L]
    mov ecx, 1000 ; REP touches both pages
    PTE 1, PGB | 7
    lea rdi, [L + 0xff8]
    xor eax, eax
    mov ecx, 4
    rep stosd
    EXPECTR qword [P1], PGA | 0x67
    EXPECTR qword [P1 + 8], PGB | 0x67

    TEST 2 ; not present, in each level
    PTE 1, PGB | 6
    F64_BEGIN
    mov eax, [L + 0x1234]
    F64_END 14, 0
    EXPECTQ [L_CR2], L + 0x1234
    F64_BEGIN
    mov [L + 0x1235], eax
    F64_END 14, 2
    EXPECTQ [L_CR2], L + 0x1235
    F64_BEGIN
    add qword [L + 0x1238], 1
    F64_END 14, 2
    F64_BEGIN
    bt dword [L + 0x1238], 1 ; reads
    F64_END 14, 0
    F64_BEGIN
    mov ecx, 1
    cmpxchg [L + 0x1238], ecx
    F64_END 14, 2
    UFAULT u_read, 14, 4
    UFAULT u_write, 14, 6
    EXPECTR qword [P1 + 8], PGB | 6
    F64_BEGIN
    mov eax, [0x30000000] ; PDE
    F64_END 14, 0
    mov rbx, 0xc0000000 ; PDPTE
    F64_BEGIN
    mov eax, [rbx]
    F64_END 14, 0
    EXPECTQ [L_CR2], 0xc0000000
    mov rbx, 0xffff900000000123 ; PML4E
    F64_BEGIN
    mov [rbx], eax
    F64_END 14, 2
    EXPECTQ [L_CR2], 0xffff900000000123

    TEST 3 ; WP
    PTE 1, PGB | 5
    mov dword [L + 0x1000], 0xbbbbbbbb
    EXPECTR qword [P1 + 8], PGB | 0x65
    mov rax, cr0
    or eax, 0x10000
    mov cr0, rax
    F64_BEGIN
    mov dword [L + 0x1000], 1
    F64_END 14, 3
    mov eax, [L + 0x1000]
    EXPECTR eax, 0xbbbbbbbb
    UFAULT u_write, 14, 7
    UFAULT u_read, 0x30
    ENTRY P2, (L >> 21), P1 | 5 ; the level above counts as well
    PTE 1, PGB | 7
    F64_BEGIN
    mov dword [L + 0x1000], 1
    F64_END 14, 3
    ENTRY P2, (L >> 21), P1 | 7
    mov rax, cr0
    and eax, ~0x10000
    mov cr0, rax

    TEST 4 ; U/S, in each level
    PTE 1, PGB | 3
    UFAULT u_read, 14, 5
    UFAULT u_write, 14, 7
    mov eax, [L + 0x1000]
    UFAULT u_read, 14, 5
    PTE 1, PGB | 7
    UFAULT u_write, 0x30
    ENTRY P2, (L >> 21), P1 | 3
    UFAULT u_read, 14, 5
    ENTRY P2, (L >> 21), P1 | 7
    UFAULT u_read, 0x30
    ENTRY P2, (L >> 21), P1 | 1
    UFAULT u_write, 14, 7
    ENTRY P2, (L >> 21), P1 | 7

    TEST 5 ; fetching, then NX
    mov byte [PGB + 0x40], 0xc3
    PTE 1, PGB | 3
    mov ebx, L + 0x1040
    call rbx
    PTE 1, PGB | 2
    F64_BEGIN
    jmp rbx
    F64_END 14, 0
    EXPECTQ [L_RIP], L + 0x1040
    PTE 1, PGB | 3
    UFAULT u_exec, 14, 5
    IFBIT CPUXD, 20, .no_nx
    mov rax, NX | PGB | 7
    mov [P1 + 8], rax
    invlpg [L + 0x1000]
    F64_BEGIN
    mov eax, [L + 0x1000] ; without NXE it is reserved
    F64_END 14, 9
    UFAULT u_write, 14, 15
    mov ecx, 0xc0000080
    rdmsr
    or eax, 0x800
    wrmsr
    mov eax, [L + 0x1000]
    F64_BEGIN
    jmp rbx
    F64_END 14, 0x11
    EXPECTQ [L_CR2], L + 0x1040
    UFAULT u_exec, 14, 0x15
    UFAULT u_read, 0x30
    PTE 1, PGB | 2
    F64_BEGIN
    jmp rbx
    F64_END 14, 0x10
    UFAULT u_exec, 14, 0x14
    PTE 1, PGB | 7
    ENTRY P2, (L >> 21), NX | P1 | 7
    F64_BEGIN
    jmp rbx
    F64_END 14, 0x11
    ENTRY P2, (L >> 21), P1 | 7
    call rbx
    ; over the end of a page into one that is not executable
    mov word [PGA + 0xffe], 0x05c7
    PTE 0, PGA | 7
    PTE 1, NX | PGB | 7
    F64_BEGIN
    mov ebx, L + 0xffe
    jmp rbx
    F64_END 14, 0x11
    EXPECTQ [L_CR2], L + 0x1000
    EXPECTQ [L_RIP], L + 0xffe
.no_nx:
    PTE 0, PGA | 7
    PTE 1, PGB | 7

    TEST 6 ; reserved bits
%macro RSVD 3 ; table, index, entry: an access to [rbx] must find it reserved
    push qword [%1 + (%2) * 8]
    ENTRY %1, %2, %3
    F64_BEGIN
    mov al, [rbx]
    F64_END 14, 9
    F64_BEGIN
    mov [rbx], al
    F64_END 14, 11
    mov rax, cr3
    pop qword [%1 + (%2) * 8]
    mov cr3, rax
%endmacro
    mov ebx, L + 0x1000
    cmp qword [PHYS], 0
    je .all_physical
    mov r8, [PHYS]
    bsf rcx, r8
.bit: ; each of the bits above the physical ones
    xor r9d, r9d
    bts r9, rcx
    lea rax, [r9 + PGB + 7]
    mov [P1 + 8], rax
    invlpg [rbx]
    F64_BEGIN
    mov al, [rbx]
    F64_END 14, 9
    PTE 1, PGB | 7
    lea rax, [r9 + P1 + 7]
    RSVD P2, (L >> 21), rax
    UFAULT u_read, 0x30
    inc ecx
    cmp ecx, 52
    jb .bit
.all_physical:
    mov rax, (0x7ff << 52) | PGB | 7 ; bits 62:52 are the system's own
    mov [P1 + 8], rax
    invlpg [rbx]
    mov al, [rbx]
    PTE 1, PGB | 7
    RSVD P2, (L >> 21), 0x202087 ; 2 MB: bits 20:13
    RSVD P2, (L >> 21), 0x300087
    ENTRY P2, (L >> 21), 0x1087 ; bit 12 is PAT
    EXPECTR byte [L + PGA + 0x10], 0xaa
    mov byte [L + PGA + 0x11], 0xaa
    EXPECTR qword [P2 + (L >> 21) * 8], 0x10e7
    ENTRY P2, (L >> 21), P1 | 7
    mov rbx, 0x8000000000 ; second entry
    ENTRY P4, 1, P3 | 7
    RSVD P4, 1, P3 | 0x87 ; PS is reserved there
    ENTRY P4, 1, 0

    TEST 7 ; 1 GB pages
    mov ebx, G1

    IFBIT CPUXD, 26, .no_gb
    ENTRY P3, 2, 0x87
    EXPECTR byte [rbx + PGA + 0x20], 0xaa
    EXPECTR qword [P3 + 16], 0xa7
    mov byte [rbx + PGB + 0x20], 0x55
    EXPECTR qword [P3 + 16], 0xe7
    EXPECTR byte [PGB + 0x20], 0x55
    mov byte [PGB + 0x20], 0xbb
    RSVD P3, 2, 0x2087
    RSVD P3, 2, 0x20000087
    ENTRY P3, 2, 0x1087
    EXPECTR byte [rbx + PGA + 0x20], 0xaa
    mov qword [P3 + 16], P2B | 7 ; INVLPG anywhere in it drops all of it
    mov qword [P2B], 0x400087
    invlpg [rbx + 0x3ffff000]
    mov byte [rbx + PGA + 0x20], 0x12
    EXPECTR byte [PGA + 0x20], 0xaa
    ENTRY P3, 2, 0
    jmp .gb
.no_gb:
    RSVD P3, 2, 0x87
.gb:
    mov qword [P2B], 0

    TEST 8 ; SMEP
    IFBIT CPU7B, 7, .no_smep
    mov byte [PGB + 0x40], 0xc3
    PTE 1, PGB | 7
    mov ebx, L + 0x1040
    call rbx
    CR4SET 1 << 20
    F64_BEGIN
    jmp rbx
    F64_END 14, 0x11
    mov eax, [L + 0x1000]
    UFAULT u_exec, 0x30
    PTE 1, PGB | 6
    F64_BEGIN
    jmp rbx
    F64_END 14, 0x10
    PTE 1, PGB | 3
    call rbx
    PTE 1, PGB | 7
    CR4CLR 1 << 20
    call rbx
.no_smep:

    TEST 9 ; SMAP
    IFBIT CPU7B, 20, .no_smap
    PTE 1, PGB | 7
    mov eax, [L + 0x1000] ; cached before
    CR4SET 1 << 21
    F64_BEGIN
    mov eax, [L + 0x1000]
    F64_END 14, 1
    EXPECTQ [L_CR2], L + 0x1000
    F64_BEGIN
    mov [L + 0x1000], eax
    F64_END 14, 3
    F64_BEGIN
    lock add [L + 0x1000], eax
    F64_END 14, 3
    mov ebx, L + 0x1040
    bt dword [CPU7B], 7
    jc .fetch_done
    call rbx ; fetching is SMEP's matter
.fetch_done:
    UFAULT u_read, 0x30
    UFAULT u_write, 0x30
    stac
    mov eax, [L + 0x1000]
    mov [L + 0x1000], eax
    mov eax, [PGA] ; its own are open all the time
    mov [PGA], eax
    clac
    mov eax, [PGA]
    F64_BEGIN
    mov eax, [L + 0x1000]
    F64_END 14, 1
    pushfq
    pop rax
    test eax, 0x40000
    FAILIF64 nz
    or eax, 0x40000
    push rax
    popfq
    mov eax, [L + 0x1000]
    pushfq
    pop rax
    test eax, 0x40000
    FAILIF64 z
    and eax, ~0x40000
    push rax
    popfq
    F64_BEGIN
    mov [L + 0x1000], eax
    F64_END 14, 3
    stac ; AC opens no write protection
    mov rax, cr0
    or eax, 0x10000
    mov cr0, rax
    PTE 1, PGB | 5
    mov eax, [L + 0x1000]
    F64_BEGIN
    mov [L + 0x1000], eax
    F64_END 14, 3
    mov rax, cr0
    and eax, ~0x10000
    mov cr0, rax
    PTE 1, PGB | 7
    clac
    PTE 1, PGB | 3 ; a page becomes the supervisor's
    mov eax, [L + 0x1000]
    PTE 1, PGB | 7
    F64_BEGIN
    mov eax, [L + 0x1000]
    F64_END 14, 1
    stac ; IRETQ brings AC of its own
    F64_BEGIN
    mov eax, ss
    push rax
    mov rax, rsp
    add rax, 8
    push rax
    push 2
    push C64
    lea rax, [.after]
    push rax
    iretq
.after:
    mov eax, [L + 0x1000]
    F64_END 14, 1

    CR4CLR 1 << 21
.no_smap:

    TEST 10 ; what INVLPG, CR3, CR4 drop
    PTE 4, PGA | 7
    EXPECTR byte [L + 0x4010], 0xaa
    mov qword [P1 + 32], PGB | 7
    invlpg [L + 0x4fff]
    EXPECTR byte [L + 0x4010], 0xbb
    mov qword [P1 + 32], PGA | 7
    mov rax, cr3
    mov cr3, rax
    EXPECTR byte [L + 0x4010], 0xaa
    CR4SET 0x80
    PTE 4, PGA | 0x107
    EXPECTR byte [L + 0x4010], 0xaa
    mov qword [P1 + 32], PGB | 0x107
    CR4CLR 0x80
    EXPECTR byte [L + 0x4010], 0xbb
    mov rax, 0x800000000000 ; not canonical: nothing happens
    invlpg [rax]
    PTE 4, PGA | 7

    TEST 11 ; INVPCID
    IFBIT CPU7B, 10, .no_invpcid
%macro INVP 3 ; type, PCID, address
    mov rax, %2
    mov [DESCR], rax
    mov rax, %3
    mov [DESCR + 8], rax
    mov eax, %1
    invpcid rax, [DESCR]
%endmacro
%macro INVP_GP 3
    F64_BEGIN
    INVP %1, %2, %3
    F64_END 13, 0
%endmacro
%macro DROPS 3
    mov qword [P1 + 32], PGA | 7
    invlpg [L + 0x4000]
    EXPECTR byte [L + 0x4010], 0xaa
    mov qword [P1 + 32], PGB | 7
    INVP %1, %2, %3
    EXPECTR byte [L + 0x4010], 0xbb
%endmacro
    DROPS 0, 0, L + 0x4000
    DROPS 1, 0, 0
    DROPS 2, 0, 0
    DROPS 3, 0, 0
    DROPS 1, 0, 0x800000000000
    INVP_GP 4, 0, 0
    INVP_GP -1, 0, 0
    INVP_GP 0, 0x1000, 0
    INVP_GP 1, 1 << 63, 0
    INVP_GP 2, 0x1000, 0
    INVP_GP 0, 0, 0x800000000000
    INVP_GP 0, 1, 0 ; without PCIDE there is PCID 0 only
    INVP_GP 1, 0xfff, 0
    INVP 2, 0xfff, 0
    UFAULT u_invpcid, 13, 0
    CR4SET 0x80
    PTE 4, PGA | 0x107
    mov al, [L + 0x4010]
    mov qword [P1 + 32], PGB | 0x107
    INVP 2, 0, 0 ; with the global ones
    EXPECTR byte [L + 0x4010], 0xbb
    CR4CLR 0x80
.no_invpcid:
    PTE 4, PGA | 7

    TEST 12 ; PCIDs: never another's translation
    mov rax, cr3
    bts rax, 63 ; without PCIDE it is reserved
    F64_BEGIN
    mov cr3, rax
    F64_END 13, 0
    IFBIT CPU1C, 17, .no_pcid
    mov eax, P4 | 0x18
    mov cr3, rax
    F64_BEGIN ; only from PCID 0
    CR4SET 1 << 17
    F64_END 13, 0
    mov eax, P4
    mov cr3, rax
    CR4SET 1 << 17
    mov esi, P4 ; the same tables again, but for page 4 of L
    mov edi, P4B
    mov ecx, 512
    rep movsq
    mov qword [P4B], P3B | 7
    mov esi, P3
    mov edi, P3B
    mov ecx, 512
    rep movsq
    mov qword [P3B], P2B | 7
    mov esi, P2
    mov edi, P2B
    mov ecx, 512
    rep movsq
    mov qword [P2B + (L >> 21) * 8], P1B | 7
    mov esi, P1
    mov edi, P1B
    mov ecx, 512
    rep movsq
    mov qword [P1 + 32], PGA | 7
    mov qword [P1B + 32], PGB | 7
    mov ecx, 10
    mov r8, (1 << 63) | P4 | 1
    mov r9, (1 << 63) | P4B | 0xfff
.turn:
    mov cr3, r8
    EXPECTR byte [L + 0x4010], 0xaa
    mov rax, cr3
    EXPECTR rax, P4 | 1 ; bit 63 does not stay
    mov cr3, r9
    EXPECTR byte [L + 0x4010], 0xbb
    mov rax, cr3
    EXPECTR rax, P4B | 0xfff
    loop .turn
    mov qword [P1 + 32], PGB | 7 ; a load without bit 63 drops the PCID's
    btr r8, 63
    mov cr3, r8
    EXPECTR byte [L + 0x4010], 0xbb
    mov cr3, r9
    mov qword [P1 + 32], PGA | 7
    IFBIT CPU7B, 10, .no_invpcid2
    bts r8, 63
    INVP 0, 1, L + 0x4000 ; of a PCID that is not loaded
    mov cr3, r8
    EXPECTR byte [L + 0x4010], 0xaa
    mov cr3, r9
    mov qword [P1 + 32], PGB | 7
    INVP 1, 1, 0
    mov cr3, r8
    EXPECTR byte [L + 0x4010], 0xbb
    mov cr3, r9
    mov qword [P1 + 32], PGA | 7
    INVP 3, 0, 0
    mov cr3, r8
    EXPECTR byte [L + 0x4010], 0xaa
.no_invpcid2:
    mov eax, P4
    mov cr3, rax
    CR4CLR 1 << 17
.no_pcid:
    mov eax, P4
    mov cr3, rax

    TEST 13 ; canonical addresses
    mov byte [IDT64 + 12 * 16 + 4], 1 ; stack faults on a stack of their own (IST1)
    mov byte [IDT64 + 13 * 16 + 4], 1
    mov rbx, NONCANON
    F64_BEGIN
    mov eax, [rbx]
    F64_END 13, 0
    F64_BEGIN
    mov [rbx + 0x1234], al
    F64_END 13, 0
    F64_BEGIN
    mov eax, [rbx - 3] ; the first byte would be good
    F64_END 13, 0
    F64_BEGIN
    mov rcx, -4 ; is one, though nothing is there
    mov rax, [rcx - 8]
    F64_END 14, 0
    mov rbx, 0xffff7fffffffffff
    F64_BEGIN
    inc byte [rbx]
    F64_END 13, 0
    F64_BEGIN
    mov eax, [rbx] ; the last three bytes would be
    F64_END 13, 0
    mov rbp, NONCANON
    F64_BEGIN
    mov eax, [rbp]
    F64_END 12, 0
    F64_BEGIN
    db 0x3e
    mov eax, [rbp] ; overrides of ES CS SS DS mean nothing
    F64_END 12, 0
    F64_BEGIN
    mov rsp, rbp
    pop rax
    F64_END 12, 0
    F64_BEGIN
    mov rsp, 0xffff800000000000
    push rax
    F64_END 12, 0
    F64_BEGIN
    mov rsp, NONCANON + 4
    call u_int30
    F64_END 12, 0
    mov rbx, NONCANON
    F64_BEGIN
    movups xmm0, [rbx - 8]
    F64_END 13, 0
    F64_BEGIN
    lgdt [rbx - 4]
    F64_END 13, 0
    F64_BEGIN
    mov rsi, rbx
    lodsb
    F64_END 13, 0
    F64_BEGIN
    xor ecx, ecx
    mov rsi, rbx
    rep lodsb ; nothing to do, nothing to fault
    int 0x32
    F64_END 0x32
    WRMSR64 0xc0000100, 0x7fffffffffff ; FS base
    F64_BEGIN
    mov al, [fs:1]
    F64_END 13, 0
    F64_BEGIN
    mov al, [fs:rbp] ; SS is not the segment any more
    F64_END 13, 0
    WRMSR64 0xc0000100, 0

    TEST 14 ; SMAP: descriptor tables are read implicitly, AC does not count
    IFBIT CPU7B, 20, .no_smap2
    CR4SET 1 << 21
    ; the GDT at the end of a page of the supervisor's, slot T0 + 10h and up in one of ring 3's
    PTE 2, PGA | 3
    PTE 3, PGB | 7
    mov esi, GDT
    mov edi, PGA + 0x1000 - T0
    mov ecx, T0
    rep movsb
    mov rax, 0x00cf93000000ffff
    mov [PGB], rax
    sub rsp, 16
    mov word [rsp], 0xfff
    mov qword [rsp + 2], L + 0x3000 - T0
    lgdt [rsp]
    stac
    mov eax, [L + 0x3000]
    F64_BEGIN
    mov eax, T0
    mov es, eax
    F64_END 14, 1
    EXPECTQ [L_CR2], L + 0x3000
    stac
    F64_BEGIN
    mov eax, T0
    lar eax, eax
    F64_END 14, 1
    clac
    PTE 3, PGB | 3
    mov eax, T0
    mov es, eax
    lgdt [gdtr64]
    ; the IDT: vectors 31h and up in the other page
    PTE 3, PGB | 7
    mov esi, IDT64
    mov edi, PGA + 0x1000 - 0x310
    mov ecx, 0x310
    rep movsb
    mov edi, PGB
    mov ecx, 0x100
    rep movsb
    mov word [rsp], 0xfff
    mov qword [rsp + 2], L + 0x3000 - 0x310
    lidt [rsp]
    stac
    F64_BEGIN
    int 0x31
    F64_END 14, 1
    EXPECTQ [L_CR2], L + 0x3000
    clac
    PTE 3, PGB | 3
    F64_BEGIN
    int 0x31
    F64_END 0x31
    lidt [idtr64]
    add rsp, 16
    CR4CLR 1 << 21
.no_smap2:
    jmp pass64

u_read:
    mov eax, [L + 0x1004]
    int 0x30
u_write:
    mov [L + 0x1004], eax
    int 0x30
u_exec:
    mov eax, L + 0x1080
    push rax
    mov word [UL + PGB + 0x80], 0x30cd ; int 30h
    ret
u_invpcid:
    invpcid rax, [UL + DESCR]
ROM_END
