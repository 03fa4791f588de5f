/* SPDX-License-Identifier: MIT */
#ifndef REPORT_PAGE_H
#define REPORT_PAGE_H

#include <stddef.h>

/* The page of conformance/report/ before and behind its data; the build makes these of its files. */
extern const unsigned char report_page_before[], report_page_behind[];
extern const size_t report_page_before_size, report_page_behind_size;

#endif
