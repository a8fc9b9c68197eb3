/* mmap behind two calls. */
#include "base/os.h"

#include <sys/mman.h>

void *os_pages_alloc(size_t len)
{
    void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

void os_pages_free(void *p, size_t len)
{
    if (p) {
        munmap(p, len);
    }
}
