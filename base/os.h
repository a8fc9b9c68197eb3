/* Host services that rooms below the frontend may need: memory.  No time, no files. */
#pragma once
#include <stddef.h>

/* Zeroed, page-aligned, lazily committed memory; NULL when the host has no address space. */
void *os_pages_alloc(size_t len);
void os_pages_free(void *p, size_t len);
