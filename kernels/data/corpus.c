/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernels/data/corpus.h"
#include "kernels/data/text.h"
#include "kernels/lagoon_solve.h"
#include "runtime/base/status.h"

#define COUNT_MAX ((uint64_t)1 << 30)
#define DIGITS 18		/* more may not fit in 64 bits */
#define HEADER 3		/* lines of a docword file */
#define OTHER 1			/* a document of the next part begins */

struct reader {
	struct lgn_text file;
	const struct lgn_corpus_range *range;
	struct lgn_corpus data;
	size_t line;		/* offset of the line in work */
	uint64_t *seen;		/* [seen_room] document + 1 that used the word */
	uint64_t seen_room;
	/* docword */
	uint64_t header[HEADER];
	int header_lines;
	uint64_t skip;		/* the document before the part */
	uint64_t last;		/* document in work, 0: none yet */
	bool tail;		/* behind the part: only for its last document */
};

/* ------------------------------------------------------------- growing */

/* array: where the pointer is, of whatever type. */
static int grow(void *array, size_t room, size_t size)
{
	void *p;

	memcpy(&p, array, sizeof(p));
	p = realloc(p, room * size);
	if (!p)
		return lgn_fail(LAGOON_ENOMEM, "no memory for %zu entries of "
				"documents", room);
	memcpy(array, &p, sizeof(p));
	return 0;
}

int lgn_corpus_document(struct lgn_corpus *c)
{
	size_t room = c->start_room ? c->start_room * 2 : 1024;
	int rc = 0;

	if (c->documents + 2 > c->start_room) {
		rc = grow(&c->start, room, sizeof(*c->start));
		c->start_room = rc ? c->start_room : room;
	}
	if (rc)
		return rc;
	if (!c->documents)
		c->start[0] = 0;
	c->documents++;
	c->start[c->documents] = c->start[c->documents - 1];
	return 0;
}

int lgn_corpus_add(struct lgn_corpus *c, uint64_t word, uint64_t count)
{
	size_t n = c->start[c->documents];
	size_t room = c->room ? c->room * 2 : 4096;
	int rc = 0;

	if (n == c->room) {
		rc = grow(&c->word, room, sizeof(*c->word));
		if (!rc)
			rc = grow(&c->count, room, sizeof(*c->count));
		c->room = rc ? c->room : room;
	}
	if (rc)
		return rc;
	c->word[n] = (uint32_t)word;
	c->count[n] = (uint32_t)count;
	c->start[c->documents] = n + 1;
	c->tokens += count;
	if (word >= c->words)
		c->words = word + 1;
	return 0;
}

void lgn_corpus_free(struct lgn_corpus *c)
{
	free(c->start);
	free(c->word);
	free(c->count);
	memset(c, 0, sizeof(*c));
}

/* ------------------------------------------------------------- parsing */

/* A number of digits at *at, which moves behind it; stop: what must follow,
 * or 0 for the end of the token. */
static int parse_whole(const struct reader *r, const char *what, char stop,
		       const char **at, uint64_t *value)
{
	char shown[LGN_TEXT_SHOWN + 4];
	const char *p = lgn_text_skip(*at);
	const char *begin = p;
	uint64_t x = 0;

	for (; (unsigned)*p - '0' <= 9 && p - begin <= DIGITS; p++)
		x = x * 10 + ((unsigned)*p - '0');
	if (p == begin || p - begin > DIGITS ||
	    (stop ? *p != stop : !lgn_text_ends(*p) || *p == ','))
		return lgn_text_fail(&r->file, r->line, "%s is \"%s\": expected "
				     "%s", what, lgn_text_show(begin, shown),
				     stop ? "word:count, whole numbers" :
				     "a whole number");
	*at = p + (stop != 0);
	*value = x;
	return 0;
}

/* Words of lda-c count from 0, of docword from 1. */
static int check_word(const struct reader *r, uint64_t shown, uint64_t word)
{
	uint64_t limit = r->range->words ? r->range->words : LGN_CORPUS_WORDS;
	uint64_t base = shown - word;

	if (r->header_lines && r->header[1] < limit)
		limit = r->header[1];
	if (word < limit)
		return 0;
	return lgn_text_fail(&r->file, r->line, "word %llu: expected %llu to "
			     "%llu%s", (unsigned long long)shown,
			     (unsigned long long)base,
			     (unsigned long long)(limit - 1 + base),
			     limit == r->range->words ? ", as in the vocabulary"
			     : "");
}

static int check_once(struct reader *r, uint64_t shown, uint64_t word)
{
	uint64_t room = r->seen_room ? r->seen_room : 4096;
	int rc;

	while (room <= word)
		room *= 2;
	if (room > r->seen_room) {
		rc = grow(&r->seen, room, sizeof(*r->seen));
		if (rc)
			return rc;
		memset(r->seen + r->seen_room, 0,
		       (room - r->seen_room) * sizeof(*r->seen));
		r->seen_room = room;
	}
	if (r->seen[word] == r->data.documents)
		return lgn_text_fail(&r->file, r->line, "word %llu stands there "
				     "twice in a document: expected once",
				     (unsigned long long)shown);
	r->seen[word] = r->data.documents;
	return 0;
}

static int take(struct reader *r, uint64_t shown, uint64_t base,
		uint64_t count)
{
	uint64_t word = shown - base;
	int rc;

	if (shown < base)
		return lgn_text_fail(&r->file, r->line, "word 0: expected words "
				     "from 1 on");
	rc = check_word(r, shown, word);
	if (!rc && (!count || count > COUNT_MAX))
		rc = lgn_text_fail(&r->file, r->line, "count %llu of word %llu: "
				   "expected 1 to %llu",
				   (unsigned long long)count,
				   (unsigned long long)shown,
				   (unsigned long long)COUNT_MAX);
	if (!rc)
		rc = check_once(r, shown, word);
	return rc ? rc : lgn_corpus_add(&r->data, word, count);
}

static int empty(struct reader *r, const char *fmt, uint64_t n)
{
	if (r->range->skip_empty) {
		r->data.empty += n;
		return 0;
	}
	return lgn_text_fail(&r->file, r->line, "%s: expected at least one word "
			     "(or ask to leave empty documents out)", fmt);
}

/* ---------------------------------------------------------------- lda-c */

static int fail_words(const struct reader *r, uint64_t words, uint64_t found)
{
	return lgn_text_fail(&r->file, r->line, "%llu words: expected %llu, as "
			     "the line says", (unsigned long long)found,
			     (unsigned long long)words);
}

static int ldac_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	const char *p = lgn_text_skip(line);
	uint64_t words, word, count, n = 0;
	int rc;

	r->line = at;
	if (*p == '\n')
		return 0;
	rc = parse_whole(r, "the number of words", 0, &p, &words);
	p = lgn_text_skip(p);
	if (!rc && !words && *p == '\n')
		return empty(r, "an empty document", 1);
	if (!rc)
		rc = lgn_corpus_document(&r->data);
	for (; !rc && *p != '\n'; p = lgn_text_skip(p), n++) {
		rc = parse_whole(r, "a word", ':', &p, &word);
		if (!rc)
			rc = parse_whole(r, "a count", 0, &p, &count);
		if (!rc)
			rc = take(r, word, 0, count);
	}
	return !rc && n != words ? fail_words(r, words, n) : rc;
}

static int read_ldac(struct reader *r)
{
	const struct lgn_corpus_range *range = r->range;

	return lgn_text_each(&r->file,
			     lgn_text_cut(&r->file, range->part, range->parts),
			     lgn_text_cut(&r->file, range->part + 1,
					  range->parts), ldac_line, r);
}

/* -------------------------------------------------------------- docword */

static int parse_end(const struct reader *r, const char *p)
{
	char shown[LGN_TEXT_SHOWN + 4];

	p = lgn_text_skip(p);
	if (*p == '\n')
		return 0;
	return lgn_text_fail(&r->file, r->line, "\"%s\" behind the numbers: "
			     "expected the end of the line",
			     lgn_text_show(p, shown));
}

/* A document number that rises over those before; those between are empty. */
static int next_document(struct reader *r, uint64_t document)
{
	char text[48];
	int rc = 0;

	if (document < 1 || document > r->header[0])
		return lgn_text_fail(&r->file, r->line, "document %llu: "
				     "expected 1 to %llu",
				     (unsigned long long)document,
				     (unsigned long long)r->header[0]);
	if (document < r->last)
		return lgn_text_fail(&r->file, r->line, "document %llu after "
				     "%llu: expected rising documents",
				     (unsigned long long)document,
				     (unsigned long long)r->last);
	if (document > r->last + 1) {
		snprintf(text, sizeof(text), "document %llu is empty",
			 (unsigned long long)r->last + 1);
		rc = empty(r, text, document - r->last - 1);
	}
	r->last = document;
	return rc ? rc : lgn_corpus_document(&r->data);
}

static int docword_line(void *arg, const char *line, size_t at)
{
	struct reader *r = arg;
	const char *p = lgn_text_skip(line);
	uint64_t document, word, count;
	int rc;

	r->line = at;
	if (*p == '\n')
		return 0;
	rc = parse_whole(r, "a document", 0, &p, &document);
	if (!rc && r->tail && document != r->last)
		return OTHER;
	if (!rc && !r->data.documents && document == r->skip)
		return 0;
	if (!rc)
		rc = parse_whole(r, "a word", 0, &p, &word);
	if (!rc)
		rc = parse_whole(r, "a count", 0, &p, &count);
	if (!rc)
		rc = parse_end(r, p);
	if (!rc && (!r->data.documents || document != r->last))
		rc = next_document(r, document);
	r->data.found += !rc;
	return rc ? rc : take(r, word, 1, count);
}

static int header_line(void *arg, const char *line, size_t at)
{
	static const char *const what[HEADER] = {
		"the number of documents", "the number of words",
		"the number of lines",
	};
	struct reader *r = arg;
	const char *p = line;
	int rc;

	r->line = at;
	rc = parse_whole(r, what[r->header_lines], 0, &p,
			 &r->header[r->header_lines]);
	if (!rc)
		rc = parse_end(r, p);
	r->header_lines++;
	return rc ? rc : r->header_lines == HEADER;
}

static int read_header(struct reader *r, size_t *body)
{
	const char *end = r->file.text + r->file.size;
	const char *p = r->file.text;
	int rc = lgn_text_each(&r->file, 0, r->file.size, header_line, r);

	if (!rc)
		return lgn_text_fail(&r->file, r->line, "the file ends: "
				     "expected three lines with numbers first");
	if (rc < 0)
		return rc;
	if (!r->header[1] || r->header[1] > LGN_CORPUS_WORDS ||
	    (r->range->words && r->header[1] > r->range->words)) {
		uint64_t most = r->range->words ? r->range->words :
			LGN_CORPUS_WORDS;

		return lgn_fail(LAGOON_EINVAL, "%s: line 2: %llu words: "
				"expected 1 to %llu", r->file.path,
				(unsigned long long)r->header[1],
				(unsigned long long)most);
	}
	for (int i = 0; i < HEADER && p < end; i++) {
		p = memchr(p, '\n', (size_t)(end - p));
		p = p ? p + 1 : end;
	}
	*body = (size_t)(p - r->file.text);
	return 0;
}

/* The document of the last line before this offset, 0 if it has none: whoever
 * reads that line tells. */
static uint64_t document_before(const struct reader *r, size_t body, size_t at)
{
	uint64_t x = 0;

	while (at > body) {
		size_t from = at - 1;

		while (from > body && r->file.text[from - 1] != '\n')
			from--;
		for (const char *p = lgn_text_skip(r->file.text + from);
		     (unsigned)*p - '0' <= 9; p++)
			x = x * 10 + ((unsigned)*p - '0');
		if (x)
			break;
		at = from;
	}
	return x;
}

static int read_docword(struct reader *r)
{
	const struct lgn_corpus_range *range = r->range;
	size_t body = 0, begin, end;
	int rc = read_header(r, &body);

	if (rc)
		return rc;
	begin = lgn_text_cut(&r->file, range->part, range->parts);
	end = lgn_text_cut(&r->file, range->part + 1, range->parts);
	begin = begin < body ? body : begin;
	end = end < body ? body : end;
	r->last = r->skip = document_before(r, body, begin);
	rc = lgn_text_each(&r->file, begin, end, docword_line, r);
	r->tail = true;
	if (!rc && r->data.documents)
		rc = lgn_text_each(&r->file, end, r->file.size, docword_line,
				   r);
	r->data.words = r->header[1];
	r->data.expected = r->header[2];
	r->data.declared = r->header[0];
	return rc == OTHER ? 0 : rc;
}

/* ---------------------------------------------------------------- calls */

int lgn_corpus_read(const char *path, const struct lgn_corpus_range *range,
		    struct lgn_corpus *corpus)
{
	struct reader r = { .range = range };
	int rc = lgn_text_open(path, &r.file);

	if (rc)
		return rc;
	rc = range->format == LAGOON_LDA_DOCWORD ? read_docword(&r) :
		read_ldac(&r);
	lgn_text_close(&r.file);
	free(r.seen);
	if (rc)
		lgn_corpus_free(&r.data);
	else
		*corpus = r.data;
	return rc;
}

int lgn_corpus_check(const char *path, const struct lgn_corpus *all,
		     int skip_empty)
{
	uint64_t documents = all->documents + all->empty;

	if (all->expected != all->found)
		return lgn_fail(LAGOON_EINVAL, "%s: line 3: %llu lines: expected "
				"%llu, which follow", path,
				(unsigned long long)all->expected,
				(unsigned long long)all->found);
	if (all->declared > documents && !skip_empty)
		return lgn_fail(LAGOON_EINVAL, "%s: line 1: %llu documents: "
				"expected %llu, which follow (or ask to leave "
				"empty documents out)", path,
				(unsigned long long)all->declared,
				(unsigned long long)documents);
	return 0;
}

int lgn_corpus_format(const char *path)
{
	const char *name = strrchr(path, '/');

	return strstr(name ? name : path, "docword") ? LAGOON_LDA_DOCWORD :
		LAGOON_LDA_LDAC;
}

/* ----------------------------------------------------------- vocabulary */

struct words {
	struct lgn_text file;
	struct lgn_vocabulary v;
	uint64_t room;
};

static int word_line(void *arg, const char *line, size_t at)
{
	struct words *w = arg;
	const char *p = lgn_text_skip(line), *end = p;
	uint64_t room = w->room ? w->room * 2 : 1024;
	int rc = 0;

	while (*end != '\n' && *end != ' ' && *end != '\t' && *end != '\r')
		end++;
	if (end == p || *lgn_text_skip(end) != '\n' || memchr(p, 0, (size_t)(end - p)))
		return lgn_text_fail(&w->file, at, "expected one word");
	if (w->v.words == w->room) {
		rc = grow(&w->v.word, room, sizeof(*w->v.word));
		w->room = rc ? w->room : room;
	}
	if (rc)
		return rc;
	w->v.word[w->v.words] = strndup(p, (size_t)(end - p));
	if (!w->v.word[w->v.words])
		return lgn_fail(LAGOON_ENOMEM, "no memory for a word");
	w->v.words++;
	return 0;
}

int lgn_vocabulary_read(const char *path, struct lgn_vocabulary *v)
{
	struct words w = { .room = 0 };
	int rc = lgn_text_open(path, &w.file);

	if (rc)
		return rc;
	rc = lgn_text_each(&w.file, 0, w.file.size, word_line, &w);
	lgn_text_close(&w.file);
	if (rc)
		lgn_vocabulary_free(&w.v);
	else
		*v = w.v;
	return rc;
}

void lgn_vocabulary_free(struct lgn_vocabulary *v)
{
	for (uint64_t i = 0; i < v->words; i++)
		free(v->word[i]);
	free(v->word);
	memset(v, 0, sizeof(*v));
}
