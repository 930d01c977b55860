/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/prescan_ar.c - archives of object files. Members that are no objects are passed over.
 *
 * Asked by:  user/prescan_image.c. Source: ar(5), in its GNU and BSD forms.
 */
#define _GNU_SOURCE			/* asprintf */
#include <stdlib.h>
#include <string.h>

#include "user/prescan_image.h"

#define MAGIC_BYTES	8u
#define HEADER_BYTES	60u

bool ar_probe(const uint8_t *bytes, size_t nbytes)
{
	return nbytes >= MAGIC_BYTES && (!memcmp(bytes, "!<arch>\n", MAGIC_BYTES) || !memcmp(bytes, "!<thin>\n", MAGIC_BYTES));
}

/* A number in decimal, padded with blanks. */
static bool number(const uint8_t *text, size_t n, uint64_t *value)
{
	size_t i = 0;

	*value = 0;
	while (i < n && text[i] >= '0' && text[i] <= '9')
		*value = *value * 10 + (uint64_t)(text[i++] - '0');
	return i > 0 && (i == n || text[i] == ' ');
}

/* The text at @text up to one of @ends, as a string of its own. */
static char *copy_name(const uint8_t *text, size_t n, const char *ends)
{
	size_t i = 0;

	while (i < n && text[i] && !strchr(ends, text[i]))
		i++;
	return strndup((const char *)text, i);
}

/* GNU writes "name/" or "/offset" into the table of long names, BSD "#1/length" with the name before the member's bytes. */
static char *member_name(const uint8_t *header, const uint8_t *names, size_t nnames, const uint8_t **bytes, uint64_t *nbytes)
{
	uint64_t value;
	char *name;

	if (header[0] == '/' && number(header + 1, 15, &value))
		return value < nnames ? copy_name(names + value, nnames - value, "/\n") : NULL;
	if (!memcmp(header, "#1/", 3) && number(header + 3, 13, &value) && value <= *nbytes) {
		name = copy_name(*bytes, value, "");
		*bytes += value;
		*nbytes -= value;
		return name;
	}
	return copy_name(header, 16, "/ ");
}

enum image_verdict ar_read(const struct image_part *part)
{
	const uint8_t *names = NULL;
	size_t nnames = 0, skipped = 0;
	uint64_t at = MAGIC_BYTES;

	image_format(part->image, "archive");
	if (part->bytes[2] == 't')
		return image_say(part->image, IMAGE_BAD, "is a thin archive, which only names its members; give the object files themselves");
	while (at < part->nbytes) {
		const uint8_t *header = part->bytes + at, *bytes;
		enum image_verdict verdict;
		struct image_part member;
		uint64_t nbytes, next;
		char *name, *prefix = NULL;

		if (part->nbytes - at < HEADER_BYTES)
			return image_say(part->image, IMAGE_BAD, "is truncated: the archive ends inside a member's header at byte %llu",
					 (unsigned long long)at);
		if (memcmp(header + 58, "`\n", 2) || !number(header + 48, 10, &nbytes))
			return image_say(part->image, IMAGE_BAD, "has no member's header at byte %llu, where one is due",
					 (unsigned long long)at);
		at += HEADER_BYTES;
		if (nbytes > part->nbytes - at)
			return image_say(part->image, IMAGE_BAD, "is truncated: a member ends at byte %llu, the file at %zu",
					 (unsigned long long)(at + nbytes), part->nbytes);
		bytes = part->bytes + at;
		next = at + nbytes + (nbytes & 1);
		at = next;
		if (!memcmp(header, "//              ", 16)) {
			names = bytes;
			nnames = (size_t)nbytes;
			continue;
		}
		if (!memcmp(header, "/               ", 16) || !memcmp(header, "__.SYMDEF", 9) || !memcmp(header, "/SYM64/", 7))
			continue;
		name = member_name(header, names, nnames, &bytes, &nbytes);
		if (!name)
			return image_say(part->image, IMAGE_BAD, "has a member whose name is missing");
		if (asprintf(&prefix, "%s%s:", part->prefix, name) < 0) {
			free(name);
			return IMAGE_BAD;
		}
		member = (struct image_part){
			.image = part->image, .bytes = bytes, .nbytes = (size_t)nbytes, .prefix = prefix, .depth = part->depth + 1,
		};
		verdict = image_inner(&member);
		free(prefix);
		free(name);
		if (verdict == IMAGE_NONE)
			skipped++;
		else if (verdict != IMAGE_CODE)
			return verdict;
	}
	if (!part->image->nregions && skipped)
		return image_say(part->image, IMAGE_NONE, "is an archive of %zu members, none of them an object file", skipped);
	return IMAGE_CODE;
}
