; Several processors on a whole board (any number, 1 to 8: fw_cfg says how many): start by INIT and
; start-up messages, locked instructions, interrupts from one to another in every delivery mode,
; INIT back to waiting, time-stamp counters, I/O APIC entries to each, code changed by another, INIT
; of the bootstrap processor.
;
; Each processor counts the interrupts it gets, by vector, at COUNT; the others do the job that
; processor 0 gives out.  The time limits are generous: under a judge with threads others may sleep.
%include "common.inc"
PROTECTED_MODE
    bits 32
LAPIC equ 0xfee00000
IOAPIC equ 0xfec00000
MAGIC  equ 0x30000 ; survives INIT of processor 0
NCPU   equ 0x30010 ; processors, as fw_cfg says
MASK   equ 0x30014 ; a bit each
UP     equ 0x30018 ; how often an AP began
SEQ    equ 0x30020 ; job number
JOB    equ 0x30024 ; its code
DONE   equ 0x30028
READY  equ 0x3002c
BAD    equ 0x30030 ; what an AP found wrong
WANT   equ 0x30034
SPIN   equ 0x30040
SUM    equ 0x30044 ; 44h xadd 48h inc 4ch cmpxchg 50h bts lock 54h xchg lock
PING   equ 0x30060
STAMP  equ 0x30064
IDTR2  equ 0x30080
CODE   equ 0x31000 ; changed by one processor, run by another
LAST   equ 0x32000 ; 4 bytes a processor: last job
IDT2   equ 0x38000
COUNT  equ 0x40000 ; + 400h * APIC ID + 4 * vector
STACKS equ 0x60000 ; + 1000h * APIC ID
%define LOOPS 2000
%define AP_VECTOR (0xf0 + ((ap_entry - $$) >> 12))

%macro APIC 2
    mov dword [LAPIC + %1], %2
%endmacro
%macro IOW 2
    mov dword [IOAPIC], %1
    mov dword [IOAPIC + 0x10], %2
%endmacro
%macro WAIT_EQ 2 ; memory, value
    mov ecx, 30000000
%%again:
    cmp dword %1, %2
    je %%done
    pause
    dec ecx
    jnz %%again
    jmp fail
%%done:
%endmacro
%macro DELAY 1 ; ns: ticks of the local APIC's 1 GHz clock
    mov eax, %1
    call delay
%endmacro
%macro IPI 2 ; destination (APIC ID or set), low half of the command
    mov eax, %1
    shl eax, 24
    mov [LAPIC + 0x310], eax
    APIC 0x300, %2
%endmacro
%macro RUN 1 ; all processors, this one as well
    mov dword [DONE], 0
    mov dword [JOB], %1
    lock inc dword [SEQ]
    call %1
    call wait_done
%endmacro
%macro START 1 ; all others
    mov dword [DONE], 0
    mov dword [READY], 0
    mov dword [JOB], %1
    lock inc dword [SEQ]
%endmacro
; the count of one vector: register with the APIC ID, vector
%macro GET 2
    mov eax, %1
    shl eax, 10
    mov eax, [COUNT + eax + 4 * %2]
%endmacro
%macro TOTAL 2 ; vector, expected sum over all processors
    mov edx, %1
    call total
    cmp eax, %2
    jne fail
%endmacro
%macro WAIT_TOTAL 2
    mov edx, %1
    mov ebx, %2
    call wait_total
%endmacro

tests:
    cmp dword [MAGIC], 0x1234abcd
    je after_init
    TEST 1 ; alone: variables, vectors, the local APIC
    mov edi, 0x30000
    xor eax, eax
    mov ecx, 0x40000 / 4
    rep stosd
    mov al, 0xff
    out 0x21, al
    out 0xa1, al
    mov dx, 0x510 ; fw_cfg item 5
    mov ax, 5
    out dx, ax
    inc edx
    xor eax, eax
    in al, dx
    mov [NCPU], eax
    cmp eax, 8
    FAILIF a
    mov ecx, eax
    mov eax, 1
    shl eax, cl
    dec eax
    mov [MASK], eax
    FAILIF z
    call make_idt
    lidt [IDTR2]
    call apic_on
    call check_self
    EXPECT dword [BAD], 0
    mov ecx, 0x1b
    rdmsr
    test eax, 1 << 8 ; this is the bootstrap processor
    FAILIF z
    sti

    TEST 2 ; INIT, start-up twice: each begins once
    APIC 0x300, 0xc4500
    DELAY 10000000
    APIC 0x300, 0xc8500 ; de-assert: nothing
    APIC 0x300, 0xc4600 | AP_VECTOR
    DELAY 200000
    APIC 0x300, 0xc4600 | AP_VECTOR
    mov edx, [NCPU]
    dec edx
    WAIT_EQ [UP], edx
    DELAY 2000000
    EXPECT [UP], edx
    EXPECT dword [BAD], 0
    RUN check_self
    EXPECT dword [BAD], 0

    TEST 3 ; locked instructions
    RUN job_locks
    imul eax, [NCPU], LOOPS
    EXPECT [SUM], eax
    EXPECT [SUM + 4], eax
    EXPECT [SUM + 8], eax
    EXPECT [SUM + 12], eax
    EXPECT [SUM + 16], eax

    TEST 4 ; one to one
    xor esi, esi
.each:
    call clear
    IPI esi, 0x4041
    WAIT_TOTAL 0x41, 1
    GET esi, 0x41
    EXPECT eax, 1
    inc esi
    cmp esi, [NCPU]
    jb .each
    DELAY 100000
    TOTAL 0x41, 1
    IPI 0x0e, 0x4041 ; nobody has that one
    DELAY 100000
    TOTAL 0x41, 1

    TEST 5 ; shorthands: all but self, all, self
    call clear
    APIC 0x300, 0xc4042
    mov edi, [NCPU]
    dec edi
    WAIT_TOTAL 0x42, edi
    APIC 0x300, 0x84043
    WAIT_TOTAL 0x43, [NCPU]
    APIC 0x300, 0x44044
    WAIT_TOTAL 0x44, 1
    DELAY 100000
    TOTAL 0x42, edi
    TOTAL 0x43, [NCPU]
    TOTAL 0x44, 1
    xor ecx, ecx
    GET ecx, 0x42
    EXPECT eax, 0
    GET ecx, 0x44
    EXPECT eax, 1

    TEST 6 ; logical, flat: sets of processors
    RUN job_flat
    mov esi, 0x55
    call logical
    mov esi, 0xaa
    call logical
    mov esi, 0x01
    call logical
    mov esi, 0xff
    call logical

    TEST 7 ; logical, clusters of four
    RUN job_cluster
    mov esi, 0x0f ; those of cluster 0
    mov edx, 0x0f
    call logical_as
    mov esi, 0xf0
    mov edx, 0x1f
    call logical_as
    mov esi, 0x05
    mov edx, 0x05
    call logical_as
    RUN job_flat

    TEST 8 ; lowest priority: exactly one takes it
    call clear
    mov esi, 20
.lowest:
    IPI [MASK], 0x4945
    dec esi
    jnz .lowest2
    jmp .lowest3
.lowest2:
    DELAY 20000
    jmp .lowest
.lowest3:
    DELAY 1000000
    mov edx, 0x45
    call total
    cmp eax, 20 ; one that came while the last was pending is the same
    FAILIF a
    test eax, eax
    FAILIF z
    call clear
    IPI [MASK], 0x4946
    WAIT_TOTAL 0x46, 1
    DELAY 1000000
    TOTAL 0x46, 1

    TEST 9 ; NMI: to each, and to all others
    call clear
    mov esi, [NCPU]
    dec esi
    jz .no_nmi
.nmi:
    IPI esi, 0x4400
    mov edi, esi
    shl edi, 10
    WAIT_EQ [COUNT + edi + 8], 1
    dec esi
    jnz .nmi
    APIC 0x300, 0xc4400
    mov esi, [NCPU]
    dec esi
    add esi, esi
    WAIT_TOTAL 2, esi
    DELAY 100000
    TOTAL 2, esi
.no_nmi:

    TEST 10 ; halted processors wake up
    call clear
    mov dword [WANT], 1
    START job_halt
    mov edi, [NCPU]
    dec edi
    WAIT_EQ [READY], edi
    DELAY 500000
    EXPECT dword [DONE], 0
    APIC 0x300, 0xc4047
    call wait_done
    TOTAL 0x47, edi

    TEST 11 ; interrupted while interrupts are off: taken later, once
    call clear
    START job_masked
    mov edi, [NCPU]
    dec edi
    WAIT_EQ [READY], edi
    APIC 0x300, 0xc4048
    APIC 0x300, 0xc4048 ; the same vector again, before it was taken: one
    DELAY 200000
    TOTAL 0x48, 0
    mov dword [READY], -1
    call wait_done
    WAIT_TOTAL 0x48, edi
    DELAY 100000
    TOTAL 0x48, edi

    TEST 12 ; time-stamp counters: what happened before has the smaller count
    mov dword [PING], 0
    cmp dword [NCPU], 1
    je .no_tsc
    START job_tsc
    mov esi, LOOPS
.tsc:
    mov ecx, 30000000
.tsc_mine:
    test dword [PING], 1
    jz .tsc_now
    pause
    dec ecx
    jnz .tsc_mine
    jmp fail
.tsc_now:
    rdtsc
    cmp edx, [STAMP + 4]
    FAILIF b
    ja .tsc_good
    cmp eax, [STAMP]
    FAILIF b
.tsc_good:
    mov [STAMP], eax
    mov [STAMP + 4], edx
    lock inc dword [PING]
    dec esi
    jnz .tsc
    call wait_done
    EXPECT dword [BAD], 0
.no_tsc:

    TEST 13 ; INIT: one processor waits for start-up again, its local APIC is reset
    cmp dword [NCPU], 1
    je .no_init
    call clear
    mov edi, [UP]
    mov esi, [NCPU]
    dec esi
    IPI esi, 0x4500
    DELAY 1000000
    IPI esi, 0x4049 ; it is disabled by software
    DELAY 1000000
    TOTAL 0x49, 0
    EXPECT [UP], edi
    IPI esi, 0x4600 | AP_VECTOR
    inc edi
    WAIT_EQ [UP], edi
    RUN check_self
    EXPECT dword [BAD], 0
    RUN job_flat
    IPI esi, 0x404a
    WAIT_TOTAL 0x4a, 1
    IPI esi, 0x4600 | AP_VECTOR ; a start-up message that nobody waits for
    DELAY 1000000
    EXPECT [UP], edi
.no_init:

    TEST 14 ; the 8254 by the I/O APIC to each processor
    xor esi, esi
.pit:
    call clear
    mov eax, esi
    shl eax, 24
    IOW 0x15, eax
    IOW 0x14, 0x4b
    call pit_periodic
    mov edi, esi
    shl edi, 10
    mov ecx, 30000000
.pit_wait:
    cmp dword [COUNT + edi + 4 * 0x4b], 3
    jae .pit_came
    pause
    dec ecx
    jnz .pit_wait
    jmp fail
.pit_came:
    IOW 0x14, 0x1004b
    DELAY 100000
    RUN job_flat ; and who was asleep has taken its interrupt
.pit_again:
    mov ebx, [COUNT + edi + 4 * 0x4b]
    mov edx, 0x4b
    call total
    cmp ebx, [COUNT + edi + 4 * 0x4b] ; one that was on its way
    jne .pit_again
    EXPECT eax, ebx
    inc esi
    cmp esi, [NCPU]
    jb .pit
    ; logical, to all at once; then lowest priority, to one
    call clear
    mov eax, [MASK]
    shl eax, 24
    IOW 0x15, eax
    mov dword [WANT], 0x84c
    call pit_once
    WAIT_TOTAL 0x4c, [NCPU]
    mov dword [WANT], 0x94d
    call pit_once
    WAIT_TOTAL 0x4d, 1
    DELAY 1000000
    TOTAL 0x4c, [NCPU]
    TOTAL 0x4d, 1
    mov dword [WANT], 0x400 ; NMI, to the last
    mov eax, [NCPU]
    dec eax
    mov esi, eax
    shl eax, 24
    IOW 0x15, eax
    call pit_once
    WAIT_TOTAL 2, 1
    GET esi, 2
    EXPECT eax, 1
    IOW 0x14, 0x10000

    TEST 15 ; code changed by another processor, announced
    mov dword [CODE], 0x000000b8 ; mov eax, 0
    mov dword [CODE + 4], 0xc300 ; ret
    mov dword [PING], 0
    mov dword [WANT], 0
    START job_code
    mov esi, 300
.announced:
    mov eax, esi
    imul eax, eax, 0x01030507
    mov [CODE + 1], eax
    mov [WANT], eax
    mov dword [READY], 0
    lock inc dword [PING]
    mov edx, [NCPU]
    dec edx
    WAIT_EQ [READY], edx
    EXPECT dword [BAD], 0
    call CODE
    EXPECT eax, [WANT]
    dec esi
    jnz .announced
    mov dword [PING], -1
    call wait_done

    TEST 16 ; and changed under a running loop, an aligned byte
    mov eax, 0x40000000
    cpuid
    cmp ebx, 'TCGT' ; QEMU 7.2's translator may go on with the old code for ever
    je .no_spin
    mov dword [CODE], 0x00b09090 ; nop; nop; mov al, 0
    mov byte [CODE + 4], 0xc3
    START job_spin
    mov edx, [NCPU]
    dec edx
    WAIT_EQ [READY], edx
    DELAY 100000
    EXPECT dword [DONE], 0
    mov byte [CODE + 3], 0x77
    call wait_done
.no_spin:

    TEST 17 ; INIT of the bootstrap processor: it begins at the reset vector
    mov dword [MAGIC], 0x1234abcd
    cmp dword [NCPU], 1
    je .self
    START job_init
.wait:
    pause
    jmp .wait
.self:
    cli
    IPI 0, 0x4500
    jmp $

after_init:
    TEST 18 ; its local APIC is reset; the others never noticed
    cmp dword [LAPIC + 0xf0], 0xff
    jne fail
    mov ecx, 0x1b
    rdmsr
    test eax, 1 << 8
    FAILIF z
    mov dword [MAGIC], 0
    lidt [IDTR2]
    call apic_on
    sti
    cmp dword [NCPU], 1
    je .one
    call wait_done
.one:
    RUN check_self
    EXPECT dword [BAD], 0
    RUN job_flat
    call clear
    APIC 0x300, 0x8404e
    WAIT_TOTAL 0x4e, [NCPU]
    cli
    jmp pass

; ---- routines of processor 0 ----

delay: ; eax: ns
    APIC 0x320, 0x10000
    APIC 0x3e0, 0xb
    mov [LAPIC + 0x380], eax
.loop:
    pause
    cmp dword [LAPIC + 0x390], 0
    jne .loop
    ret

wait_done:
    push edx
    mov edx, [NCPU]
    dec edx
    WAIT_EQ [DONE], edx
    pop edx
    ret

clear:
    pushad
    mov edi, COUNT
    xor eax, eax
    mov ecx, 0x2000 / 4
    rep stosd
    popad
    ret

total: ; edx: vector -> eax
    push ecx
    push edx
    xor eax, eax
    mov ecx, 8
    lea edx, [COUNT + edx * 4]
.loop:
    add eax, [edx]
    add edx, 0x400
    loop .loop
    pop edx
    pop ecx
    ret

wait_total: ; edx: vector, ebx: sum
    mov ecx, 10000000
.loop:
    call total
    cmp eax, ebx
    je .done
    pause
    dec ecx
    jnz .loop
    mov [V_TMP], eax
    jmp fail
.done:
    ret

; esi: flat set -> exactly those have it
logical:
    mov edx, esi
; esi: processors, edx: logical destination
logical_as:
    call clear
    IPI edx, 0x484f
    DELAY 300000
    mov edi, [NCPU]
.each:
    dec edi
    js .out
    mov ecx, 1000000
.wait:
    GET edi, 0x4f
    xor ebx, ebx
    bt esi, edi
    adc ebx, 0
    cmp eax, ebx
    je .each
    pause
    dec ecx
    jnz .wait
    mov [V_TMP], edi
    jmp fail
.out:
    ret

pit_periodic: ; 1 ms
    mov al, 0x34
    out 0x43, al
    mov al, 0xa9
    out 0x40, al
    mov al, 0x04
    out 0x40, al
    ret

pit_once: ; one rising edge through entry [WANT]
    mov al, 0x30
    out 0x43, al
    mov al, 0x00
    out 0x40, al
    mov eax, [WANT]
    mov dword [IOAPIC], 0x14
    mov [IOAPIC + 0x10], eax
    mov al, 0x02
    out 0x40, al
    ret

make_idt:
    mov esi, IDT
    mov edi, IDT2
    mov ecx, 64
    rep movsd ; exceptions as in common.inc
    mov edi, IDT2 + 0x40 * 8
    mov eax, irq_stubs
    mov ecx, 16
.gate:
    call .put
    add eax, IRQ_STUB
    loop .gate
    mov edi, IDT2 + 0xff * 8 ; spurious
    mov eax, spurious
    call .put
    mov edi, IDT2 + 2 * 8
    mov eax, nmi
    call .put
    mov word [IDTR2], 0x7ff
    mov dword [IDTR2 + 2], IDT2
    ret
.put:
    mov edx, eax
    mov [edi], dx
    mov word [edi + 2], S_CODE
    mov word [edi + 4], 0x8e00
    shr edx, 16
    mov [edi + 6], dx
    add edi, 8
    ret

; ---- of all ----

apic_on:
    APIC 0xf0, 0x1ff
    APIC 0x320, 0x10000
    APIC 0x350, 0x10000
    APIC 0x360, 0x10000
    APIC 0x370, 0x10000
    APIC 0x80, 0
    ret

my_id: ; -> eax
    mov eax, [LAPIC + 0x20]
    shr eax, 24
    ret

check_self:
    pushad
    mov eax, 1
    cpuid
    shr ebx, 24
    call my_id
    cmp eax, ebx
    je .id
    mov byte [BAD], 1
.id:
    cmp eax, [NCPU]
    jb .few
    mov byte [BAD], 2
.few:
    mov ebp, eax
    mov ecx, 0x1b
    rdmsr
    bt eax, 8
    setc al
    test ebp, ebp
    setz ah
    cmp al, ah ; bootstrap flag: processor 0 alone
    je .bsp
    mov byte [BAD], 3
.bsp:
    popad
    ret

job_locks:
    mov ecx, LOOPS
.loop:
    mov eax, 1
    lock xadd [SUM], eax
    lock inc dword [SUM + 4]
.retry:
    mov eax, [SUM + 8]
    lea edx, [eax + 1]
    lock cmpxchg [SUM + 8], edx
    jnz .retry
.take:
    lock bts dword [SPIN], 7
    jnc .mine
    pause
    jmp .take
.mine:
    mov eax, [SUM + 12]
    inc eax
    mov [SUM + 12], eax
    lock btr dword [SPIN], 7
.take2:
    mov al, 1
    xchg al, [SPIN + 3]
    test al, al
    jnz .take2 ; without PAUSE
    mov eax, [SUM + 16]
    inc eax
    mov [SUM + 16], eax
    mov byte [SPIN + 3], 0
    dec ecx
    jnz .loop
    ret

job_flat:
    call my_id
    mov ecx, eax
    mov eax, 0x01000000
    shl eax, cl
    APIC 0xe0, 0xffffffff
    mov [LAPIC + 0xd0], eax
    ret

job_cluster: ; processors 0 to 3: cluster 0, 4 to 7: 1
    call my_id
    mov ecx, eax
    mov eax, ecx
    shr eax, 2
    shl eax, 28
    and ecx, 3
    mov edx, 0x01000000
    shl edx, cl
    or eax, edx
    APIC 0xe0, 0x0fffffff
    mov [LAPIC + 0xd0], eax
    ret

job_halt:
    call my_id
    shl eax, 10
    mov esi, eax
    cli
    lock inc dword [READY]
.wait:
    mov eax, [COUNT + esi + 4 * 0x47]
    cmp eax, [WANT]
    je .out
    sti
    hlt
    cli
    jmp .wait
.out:
    sti
    ret

job_masked:
    cli
    lock inc dword [READY]
.wait:
    pause
    cmp dword [READY], -1
    jne .wait
    sti
    ret

job_tsc: ; the processor with ID 1 answers
    call my_id
    cmp eax, 1
    jne .out
    mov esi, LOOPS
.loop:
    pause
    test dword [PING], 1
    jz .loop
    rdtsc
    cmp edx, [STAMP + 4]
    jb .bad
    ja .good
    cmp eax, [STAMP]
    jae .good
.bad:
    mov byte [BAD], 4
.good:
    mov [STAMP], eax
    mov [STAMP + 4], edx
    lock inc dword [PING]
    dec esi
    jnz .loop
.out:
    ret

job_code:
    xor esi, esi
.loop:
    pause
    mov eax, [PING]
    cmp eax, -1
    je .out
    cmp eax, esi
    je .loop
    mov esi, eax
    xor eax, eax
    cpuid ; serialize
    call CODE
    cmp eax, [WANT]
    je .good
    mov byte [BAD], 5
.good:
    lock inc dword [READY]
    jmp .loop
.out:
    ret

job_spin:
    lock inc dword [READY]
.loop:
    call CODE
    cmp al, 0x77
    jne .loop
    ret

job_init: ; the processor with ID 1 sends INIT to processor 0
    call my_id
    cmp eax, 1
    jne .out
    IPI 0, 0x4500
.out:
    ret

; ---- interrupts ----

irq_stubs:
%assign n 0x40
%rep 16
    push byte n
    jmp near irq
  %assign n n + 1
%endrep
IRQ_STUB equ (irq - irq_stubs) / 16
irq:
    push eax
    push ecx
    call my_id
    shl eax, 10
    mov ecx, [esp + 8]
    lea eax, [COUNT + eax + ecx * 4]
    lock inc dword [eax]
    APIC 0xb0, 0
    pop ecx
    pop eax
    add esp, 4
spurious:
    iretd

nmi:
    push eax
    call my_id
    shl eax, 10
    lock inc dword [COUNT + eax + 8]
    pop eax
    iretd

; ---- the others begin here ----

    align 4096, db 0xcc
    bits 16
ap_entry: ; CS:IP = V V 0 0 : 0
    cli
    o32 lgdt [cs:ap_gdtr - ap_entry]
    mov eax, cr0
    or al, 1
    mov cr0, eax
    jmp dword S_CODE:ap_pm
ap_gdtr:
    dw 0xfff
    dd GDT
    bits 32
ap_pm:
    mov ax, S_DATA
    mov ds, ax
    mov es, ax
    mov fs, ax
    mov gs, ax
    mov ss, ax
    lidt [IDTR2]
%ifdef PAGED
    mov eax, cr4
    or al, 0x10
    mov cr4, eax
    mov eax, 0x1f000
    mov cr3, eax
    mov eax, cr0
    or eax, 0x80000000
    mov cr0, eax
    jmp .paged
.paged:
%endif
.id:
    mov eax, [LAPIC + 0x20]
    shr eax, 24
    mov ebx, eax
    shl eax, 12
    lea esp, [STACKS + 0xff0 + eax]
    call apic_on
    call check_self
    mov eax, [SEQ] ; jobs from now on
    mov [LAST + ebx * 4], eax
    lock inc dword [UP]
    sti
.loop:
    pause
    mov eax, [SEQ]
    cmp eax, [LAST + ebx * 4]
    je .loop
    mov [LAST + ebx * 4], eax
    push ebx
    call [JOB]
    pop ebx
    lock inc dword [DONE]
    jmp .loop
ROM_END
