#include "agent/memory.h"

#include <link.h>
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/attr.h"

enum { STACK_SPAN = 256 << 10 };

/* Segments that nobody writes are clean copies of files: dropping them loses nothing. */
static int segments_drop(struct dl_phdr_info *info, size_t size, void *data)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *p = &info->dlpi_phdr[i];
		if (p->p_type != PT_LOAD || (p->p_flags & PF_W) != 0)
			continue;
		uintptr_t from = (info->dlpi_addr + p->p_vaddr) & ~(page - 1);
		uintptr_t to = (info->dlpi_addr + p->p_vaddr + p->p_memsz + page - 1) & ~(page - 1);
		(void)madvise((void *)from, to - from, MADV_DONTNEED); /* a hint: refused for the vdso */
	}
	return 0;
}

/* What lies below the present frame was used by calls that have returned. Nothing else is mapped there: the
 * kernel keeps a gap of a megabyte and more below the first thread's stack. */
static HF_NOINLINE void stack_drop(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t here = (uintptr_t)__builtin_frame_address(0) & ~(page - 1);
	if (gettid() != getpid())
		return;
	uintptr_t to = here - page; /* the frames of what is called from here */
	(void)madvise((void *)(to - STACK_SPAN), STACK_SPAN, MADV_DONTNEED); /* a hint: most of it is none */
}

void hf_memory_relax(void)
{
	malloc_trim(0);
	dl_iterate_phdr(segments_drop, NULL);
	stack_drop();
}
