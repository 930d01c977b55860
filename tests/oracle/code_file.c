/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tests/oracle/code_file.c - see code_file.h. */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/oracle/code_file.h"

bool code_file_open(struct code_file *f, const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY);
	Elf32_Ehdr head;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || !st.st_size) {
		close(fd);
		errno = ENOEXEC;
		return false;
	}
	f->nbytes = (size_t)st.st_size;
	f->bytes = mmap(NULL, f->nbytes, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (f->bytes == MAP_FAILED)
		return false;
	f->elf = f->nbytes >= sizeof(head) && !memcmp(f->bytes, ELFMAG, SELFMAG);
	if (!f->elf)
		return true;
	memcpy(&head, f->bytes, sizeof(head));
	if (head.e_ident[EI_CLASS] == ELFCLASS32 && head.e_machine == EM_386)
		return true;
	code_file_close(f);
	errno = ENOEXEC;
	return false;
}

void code_file_close(struct code_file *f)
{
	munmap((void *)f->bytes, f->nbytes);
}

static void give(const struct code_file *f, uint32_t offset, uint32_t nbytes, void (*fn)(void *, size_t, size_t), void *arg)
{
	if (nbytes && offset < f->nbytes && nbytes <= f->nbytes - offset)
		fn(arg, offset, nbytes);
}

void code_file_each(const struct code_file *f, void (*fn)(void *arg, size_t offset, size_t nbytes), void *arg)
{
	Elf32_Ehdr head;
	unsigned int found = 0;

	if (!f->elf) {
		fn(arg, 0, f->nbytes);
		return;
	}
	memcpy(&head, f->bytes, sizeof(head));
	for (unsigned int i = 0; i < head.e_shnum; i++) {
		uint64_t at = head.e_shoff + (uint64_t)i * head.e_shentsize;
		Elf32_Shdr section;

		if (head.e_shentsize < sizeof(section) || at + sizeof(section) > f->nbytes)
			break;
		memcpy(&section, f->bytes + at, sizeof(section));
		if (section.sh_type != SHT_PROGBITS || !(section.sh_flags & SHF_EXECINSTR))
			continue;
		give(f, section.sh_offset, section.sh_size, fn, arg);
		found++;
	}
	for (unsigned int i = 0; !found && i < head.e_phnum; i++) {
		uint64_t at = head.e_phoff + (uint64_t)i * head.e_phentsize;
		Elf32_Phdr segment;

		if (head.e_phentsize < sizeof(segment) || at + sizeof(segment) > f->nbytes)
			break;
		memcpy(&segment, f->bytes + at, sizeof(segment));
		if (segment.p_type == PT_LOAD && (segment.p_flags & PF_X))
			give(f, segment.p_offset, segment.p_filesz, fn, arg);
	}
}
