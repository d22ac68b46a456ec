/* SPDX-License-Identifier: MIT */
/*
 * one_thread.c: what a unit test that says "one thread" in its head is linked with: it ends the test that
 * makes another. The thread sanitizer, to whom such a test has nothing to say, is spared it.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* In the place of the C library's, for the whole process. */
int pthread_create(pthread_t *ret_thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument)
{
    (void)ret_thread;
    (void)attributes;
    (void)start;
    (void)argument;
    fputs("the head of this test said \"one thread\" when CMake read it, and it makes another\n", stderr);
    abort();
}
