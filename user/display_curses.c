/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * user/display_curses.c - the machine's text screen and keyboard in a terminal, with ncursesw.
 *
 *      pc_text_screen --> compare with what is drawn --> curses --> terminal
 *      terminal --> curses --> display_keys.c --> queue --> pc_key_scancode
 *
 * Asked by: user/run.c through user/display.h. Asks: devices/pc.h, user/display_keys.c.
 * Signals:  curses would install handlers that run on whatever stack the interrupted thread has, and that may be the guest's. So its
 *           handlers are taken out again, and the terminal's size is asked for at each turn.
 * State:    one file-scope struct, because a fatal signal's handler has no argument. Written by the event loop's thread only;
 *           display_curses_restore reads the fields that start had filled before it set @started.
 */
#include <errno.h>
#include <langinfo.h>
#include <locale.h>
#include <ncurses.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <wchar.h>

#include "devices/pc.h"
#include "user/display.h"
#include "user/display_keys.h"

#define CTRL_A		1
#define QUEUE_BYTES	4096
#define KEYS_PER_TURN	64	/* a paste must not keep the event loop from its deadlines */

static struct display {
	struct display_config config;
	SCREEN *screen;
	bool utf8, prefix, help, redraw;
	int rows, columns;		/* of the terminal */
	int top, left;			/* what part of a larger guest screen is seen */

	struct pc_text_screen now, drawn;

	uint8_t queue[QUEUE_BYTES];	/* scan codes that wait for room in the keyboard */
	size_t queue_head, queue_count;

	struct termios termios;		/* as it was before us */
	char restore[256];		/* the bytes that end curses' screen */
	size_t restore_bytes;
	atomic_bool started;
} display;

static const char *const help_text[] = {
	"Ctrl-A h   this help",
	"Ctrl-A x   leave: stop the machine",
	"Ctrl-A p   press the power button",
	"Ctrl-A s   write the screenshot now",
	"Ctrl-A a   send Ctrl-A to the machine (so does Ctrl-A Ctrl-A)",
	"Ctrl-A d   send Ctrl-Alt-Delete",
	"Ctrl-A r   draw the screen again",
	"Esc, then a key at once: Alt with that key",
};

/* ---- the terminal ---- */

/* A terminfo string without its padding marks ("$<5/>"), added to what restore writes. */
static void add_restore(const char *capability)
{
	const char *s = tigetstr(capability);

	if (!s || s == (const char *)-1)
		return;
	while (*s && display.restore_bytes < sizeof(display.restore)) {
		if (s[0] == '$' && s[1] == '<' && strchr(s, '>'))
			s = strchr(s, '>') + 1;
		else
			display.restore[display.restore_bytes++] = *s++;
	}
}

static SCREEN *new_terminal(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGTSTP, SIGWINCH };
	struct sigaction before[PLX_ARRAY_SIZE(signals)];
	SCREEN *screen;

	for (size_t i = 0; i < PLX_ARRAY_SIZE(signals); i++)
		sigaction(signals[i], NULL, &before[i]);
	screen = newterm(NULL, stdout, stdin);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &before[i], NULL);
	return screen;
}

int display_curses_start(const struct display_config *config, char *error, size_t nbytes)
{
	if (atomic_load(&display.started)) {
		snprintf(error, nbytes, "the curses display is running already");
		return -EBUSY;
	}
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &display.termios) != 0) {
		snprintf(error, nbytes,
			 "the curses display needs a terminal: run it in one, or choose another display");
		return -ENOTTY;
	}
	setlocale(LC_CTYPE, "");
	display.config = *config;
	display.screen = new_terminal();
	if (!display.screen) {
		snprintf(error, nbytes, "curses does not know the terminal type \"%s\": set TERM to one that "
			 "`infocmp` finds", getenv("TERM") ? getenv("TERM") : "");
		return -ENOTTY;
	}
	set_term(display.screen);
	display.utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	display.restore_bytes = 0;
	add_restore("sgr0");
	add_restore("cnorm");
	add_restore("rmkx");
	add_restore("rmcup");

	raw();
	noecho();
	nonl();
	nodelay(stdscr, TRUE);
	keypad(stdscr, TRUE);
	set_escdelay(25);
	if (has_colors()) {
		start_color();
		assume_default_colors(COLOR_WHITE, COLOR_BLACK);
	}
	display.prefix = display.help = false;
	display.redraw = true;
	display.rows = LINES;
	display.columns = COLS;
	display.top = display.left = 0;
	display.queue_head = display.queue_count = 0;
	atomic_store(&display.started, true);
	return 0;
}

void display_curses_stop(void)
{
	if (!atomic_exchange(&display.started, false))
		return;
	endwin();
	delscreen(display.screen);
	display.screen = NULL;
	tcsetattr(STDIN_FILENO, TCSANOW, &display.termios);
}

void display_curses_restore(void)
{
	int saved_errno = errno;
	size_t done = 0;

	if (!atomic_exchange(&display.started, false))
		return;
	while (done < display.restore_bytes) {
		ssize_t n = write(STDOUT_FILENO, display.restore + done, display.restore_bytes - done);

		if (n <= 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	tcsetattr(STDIN_FILENO, TCSANOW, &display.termios);
	errno = saved_errno;
}

/* ---- drawing ---- */

/* A terminal that cannot show line drawing gets shapes of ASCII. */
static wchar_t ascii_of(uint8_t character)
{
	static const char high[] =
		"CueaaaaceeeiiiAAEaAooouuyOUc$YPf"	/* 80 */
		"aiounNao?--24!<>"			/* a0 */
		"%%#|++++++|+++++"			/* b0 */
		"++++-++++++++=++"			/* c0 */
		"+++++++++++#_||^"			/* d0 */
		"abGpSsutFTOd8fen"			/* e0 */
		"=+><()/~o..vn2# ";			/* f0 */

	_Static_assert(sizeof(high) == 128 + 1, "one shape for each character from 80h on");
	if (character >= 0x80)
		return high[character - 0x80];
	return character < 0x20 || character == 0x7f ? L' ' : character;
}

/* VGA colours have blue in bit 0 and red in bit 2; curses has them the other way round. */
static short curses_colour(unsigned int vga)
{
	return (short)((vga & 8) | (vga & 2) | (vga >> 2 & 1) | (vga & 1) << 2);
}

/* The 16 colours as a PC shows them, to recognise what the guest's palette means. */
static unsigned int nearest_colour(uint32_t rgb)
{
	static const uint32_t standard[16] = {
		0x000000, 0x0000aa, 0x00aa00, 0x00aaaa, 0xaa0000, 0xaa00aa, 0xaa5500, 0xaaaaaa,
		0x555555, 0x5555ff, 0x55ff55, 0x55ffff, 0xff5555, 0xff55ff, 0xffff55, 0xffffff,
	};
	uint32_t best = UINT32_MAX;
	unsigned int colour = 0;

	for (unsigned int i = 0; i < 16; i++) {
		uint32_t distance = 0;

		for (int shift = 0; shift < 24; shift += 8) {
			int d = (int)(rgb >> shift & 0xff) - (int)(standard[i] >> shift & 0xff);

			distance += (uint32_t)(d * d);
		}
		if (distance < best) {
			best = distance;
			colour = i;
		}
	}
	return colour;
}

/* Pairs are made as they are first needed. Pair 0 is white on black and cannot be changed, so numbers are turned to fit it. */
static attr_t style_of(unsigned int foreground, unsigned int background, bool blink, short *pair)
{
	attr_t style = blink ? A_BLINK : A_NORMAL;
	bool bright = COLORS >= 16 && COLOR_PAIRS >= 256;
	unsigned int number;

	*pair = 0;
	if (!has_colors())
		return style | (foreground & 8 ? A_BOLD : 0) | (background & 7 ? A_REVERSE : 0);
	if (!bright) {
		style |= foreground & 8 ? A_BOLD : 0;
		foreground &= 7;
		background &= 7;
	}
	number = (bright ? background << 4 | foreground : background << 3 | foreground) ^ 7;
	if (number > 0)
		init_pair((short)number, curses_colour(foreground), curses_colour(background));
	*pair = (short)number;
	return style;
}

static void draw_cell(int y, int x, uint16_t cell, const unsigned int colours[16])
{
	uint8_t character = cell & 0xff, attribute = cell >> 8;
	wchar_t text[2] = { display.utf8 ? display_cp437[character] : ascii_of(character), 0 };
	short pair;
	attr_t style = style_of(colours[attribute & 15], colours[attribute >> 4 & 7], attribute & 0x80, &pair);
	cchar_t glyph;

	setcchar(&glyph, text, style, pair, NULL);
	mvadd_wch(y, x, &glyph);
}

/* Of a guest screen larger than the terminal, the part with the cursor is shown. */
static int scroll_to(int first, int seen, int all, int cursor)
{
	if (all <= seen)
		return 0;
	if (cursor < first)
		first = cursor;
	if (cursor >= first + seen)
		first = cursor - seen + 1;
	return first > all - seen ? all - seen : first;
}

static void draw_text(void)
{
	struct pc_text_screen *now = &display.now, *drawn = &display.drawn;
	int top = scroll_to(display.top, display.rows, now->rows, now->cursor_y);
	int left = scroll_to(display.left, display.columns, now->columns, now->cursor_x);
	bool all = display.redraw || !drawn->valid || drawn->columns != now->columns || drawn->rows != now->rows ||
		   top != display.top || left != display.left ||
		   memcmp(drawn->palette, now->palette, sizeof(now->palette)) != 0;
	unsigned int colours[16];

	for (int i = 0; i < 16; i++)
		colours[i] = nearest_colour(now->palette[i]);
	if (all)
		erase();
	display.top = top;
	display.left = left;
	for (int y = 0; y < display.rows && y + top < now->rows; y++) {
		for (int x = 0; x < display.columns && x + left < now->columns; x++) {
			size_t at = (size_t)(y + top) * now->columns + (size_t)(x + left);

			if (all || now->cell[at] != drawn->cell[at])
				draw_cell(y, x, now->cell[at], colours);
		}
	}
	curs_set(now->cursor_visible ? 1 : 0);
	if (now->cursor_visible)
		move(now->cursor_y - top, now->cursor_x - left);
}

static void draw_graphics(void)
{
	uint32_t width, height;

	pc_picture(display.config.pc, &width, &height, NULL, 0);
	erase();
	curs_set(0);
	mvprintw(display.rows / 2, 2, "The machine shows graphics, %u x %u.", width, height);
	mvprintw(display.rows / 2 + 1, 2, "A screenshot shows them; this terminal cannot.");
}

static void draw_help(void)
{
	erase();
	curs_set(0);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(help_text); i++)
		mvaddstr(1 + (int)i, 2, help_text[i]);
	mvaddstr(2 + (int)PLX_ARRAY_SIZE(help_text), 2, "Any key goes back.");
}

static void follow_size(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
		return;
	if (size.ws_row == display.rows && size.ws_col == display.columns)
		return;
	resizeterm(size.ws_row, size.ws_col);
	display.rows = size.ws_row;
	display.columns = size.ws_col;
	display.redraw = true;
}

static void draw(void)
{
	follow_size();
	if (display.help) {
		if (display.redraw)
			draw_help();
	} else {
		pc_text_screen(display.config.pc, &display.now);
		if (display.now.valid)
			draw_text();
		else
			draw_graphics();
		display.drawn = display.now;
	}
	if (display.redraw)
		clearok(stdscr, TRUE);
	display.redraw = false;
	refresh();
}

/* ---- the keyboard ---- */

static void send(uint32_t key, unsigned int modifiers)
{
	uint8_t codes[DISPLAY_CODES_MAX];
	size_t n = display_key_codes(key, modifiers, codes);

	if (n > QUEUE_BYTES - display.queue_count)
		return;		/* the machine does not read its keyboard; a key is lost whole, never half */
	for (size_t i = 0; i < n; i++)
		display.queue[(display.queue_head + display.queue_count++) % QUEUE_BYTES] = codes[i];
}

static void drain_queue(void)
{
	while (display.queue_count && pc_key_scancode(display.config.pc, display.queue[display.queue_head])) {
		display.queue_head = (display.queue_head + 1) % QUEUE_BYTES;
		display.queue_count--;
	}
}

/* "kUP5": terminals name keys with modifiers by a digit, 2 to 8 = 1 + the sum of Shift 1, Alt 2, Ctrl 4. */
static uint32_t extended_key(int code, unsigned int *modifiers)
{
	static const struct { const char *name; uint32_t key; } names[] = {
		{ "kUP", DISPLAY_KEY_UP }, { "kDN", DISPLAY_KEY_DOWN }, { "kLFT", DISPLAY_KEY_LEFT },
		{ "kRIT", DISPLAY_KEY_RIGHT }, { "kHOM", DISPLAY_KEY_HOME }, { "kEND", DISPLAY_KEY_END },
		{ "kPRV", DISPLAY_KEY_PAGE_UP }, { "kNXT", DISPLAY_KEY_PAGE_DOWN }, { "kIC", DISPLAY_KEY_INSERT },
		{ "kDC", DISPLAY_KEY_DELETE },
	};
	const char *name = keyname(code);

	for (size_t i = 0; name && i < PLX_ARRAY_SIZE(names); i++) {
		size_t n = strlen(names[i].name);

		if (strncmp(name, names[i].name, n) != 0 || (name[n] && (name[n] < '2' || name[n] > '8')))
			continue;
		/* Without a digit (kUP, kDN) it is Shift. */
		*modifiers |= name[n] ? (unsigned int)(name[n] - '1') : DISPLAY_MOD_SHIFT;
		return names[i].key;
	}
	return UINT32_MAX;
}

static uint32_t function_key(int code, unsigned int *modifiers)
{
	/* Terminals count on past F12: F13 is Shift-F1, F25 Ctrl-F1, F37 Ctrl-Shift-F1, F49 Alt-F1. */
	static const unsigned int held[5] = {
		0, DISPLAY_MOD_SHIFT, DISPLAY_MOD_CTRL, DISPLAY_MOD_CTRL | DISPLAY_MOD_SHIFT, DISPLAY_MOD_ALT,
	};
	int n = code - KEY_F(1);

	*modifiers |= held[n / 12];
	return DISPLAY_KEY_F1 + (uint32_t)(n % 12);
}

static uint32_t key_of(int code, unsigned int *modifiers)
{
	static const struct { int code; uint32_t key; unsigned int modifiers; } keys[] = {
		{ KEY_UP, DISPLAY_KEY_UP, 0 }, { KEY_DOWN, DISPLAY_KEY_DOWN, 0 },
		{ KEY_LEFT, DISPLAY_KEY_LEFT, 0 }, { KEY_RIGHT, DISPLAY_KEY_RIGHT, 0 },
		{ KEY_HOME, DISPLAY_KEY_HOME, 0 }, { KEY_END, DISPLAY_KEY_END, 0 },
		{ KEY_PPAGE, DISPLAY_KEY_PAGE_UP, 0 }, { KEY_NPAGE, DISPLAY_KEY_PAGE_DOWN, 0 },
		{ KEY_IC, DISPLAY_KEY_INSERT, 0 }, { KEY_DC, DISPLAY_KEY_DELETE, 0 },
		{ KEY_BACKSPACE, DISPLAY_KEY_BACKSPACE, 0 }, { KEY_ENTER, DISPLAY_KEY_ENTER, 0 },
		{ KEY_BTAB, '\t', DISPLAY_MOD_SHIFT }, { KEY_SLEFT, DISPLAY_KEY_LEFT, DISPLAY_MOD_SHIFT },
		{ KEY_SRIGHT, DISPLAY_KEY_RIGHT, DISPLAY_MOD_SHIFT }, { KEY_SR, DISPLAY_KEY_UP, DISPLAY_MOD_SHIFT },
		{ KEY_SF, DISPLAY_KEY_DOWN, DISPLAY_MOD_SHIFT }, { KEY_SHOME, DISPLAY_KEY_HOME, DISPLAY_MOD_SHIFT },
		{ KEY_SEND, DISPLAY_KEY_END, DISPLAY_MOD_SHIFT }, { KEY_SDC, DISPLAY_KEY_DELETE, DISPLAY_MOD_SHIFT },
		{ KEY_SIC, DISPLAY_KEY_INSERT, DISPLAY_MOD_SHIFT },
		{ KEY_SPREVIOUS, DISPLAY_KEY_PAGE_UP, DISPLAY_MOD_SHIFT },
		{ KEY_SNEXT, DISPLAY_KEY_PAGE_DOWN, DISPLAY_MOD_SHIFT },
	};

	if (code >= KEY_F(1) && code <= KEY_F(60))
		return function_key(code, modifiers);
	for (size_t i = 0; i < PLX_ARRAY_SIZE(keys); i++) {
		if (keys[i].code == code) {
			*modifiers |= keys[i].modifiers;
			return keys[i].key;
		}
	}
	return extended_key(code, modifiers);
}

static void after_prefix(uint32_t key)
{
	switch (key) {
	case 'x':
	case 'X':
		if (display.config.quit)
			display.config.quit(display.config.owner);
		break;
	case 'h':
	case 'H':
	case '?':
		display.help = true;
		display.redraw = true;
		break;
	case 'p':
	case 'P':
		pc_power_button(display.config.pc);
		break;
	case 's':
	case 'S':
		if (display.config.screenshot)
			display.config.screenshot(display.config.owner);
		break;
	case 'd':
	case 'D':
		send(DISPLAY_KEY_DELETE, DISPLAY_MOD_CTRL | DISPLAY_MOD_ALT);
		break;
	case 'r':
	case 'R':
		display.redraw = true;
		break;
	case 'a':
	case 'A':
	case CTRL_A:
		send('a', DISPLAY_MOD_CTRL);
		break;
	default:
		break;		/* not a command: swallowed, as nobody can have meant it for the machine */
	}
}

/* One key or character from curses. False: nothing was typed. */
static bool next_key(uint32_t *key, unsigned int *modifiers)
{
	wint_t c;
	int kind = get_wch(&c);

	if (kind == ERR)
		return false;
	*key = kind == KEY_CODE_YES ? key_of((int)c, modifiers) : (uint32_t)c;
	return true;
}

static void read_keys(void)
{
	for (int i = 0; i < KEYS_PER_TURN; i++) {
		unsigned int modifiers = 0;
		uint32_t key, second;

		if (!next_key(&key, &modifiers))
			return;
		if (display.help) {
			display.help = false;
			display.redraw = true;
			continue;
		}
		if (display.prefix) {
			display.prefix = false;
			after_prefix(key);
			continue;
		}
		if (key == CTRL_A) {
			display.prefix = true;
			continue;
		}
		/* A terminal says Alt by an Escape right before; an Escape that stays alone is the key. */
		if (key == 27 && next_key(&second, &modifiers)) {
			key = second;
			modifiers |= DISPLAY_MOD_ALT;
		}
		send(key, modifiers);
	}
}

void display_curses_refresh(void)
{
	if (!atomic_load(&display.started))
		return;
	read_keys();
	drain_queue();
	/* @quit may have ended us. */
	if (atomic_load(&display.started))
		draw();
}
