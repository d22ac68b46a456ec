/* SPDX-License-Identifier: MIT */
/*
 * ask.h: request and reply. The asker goes on with other messages; the reply, or the reason why there is
 * none, comes to a continuation. The reply's place is reserved when the question is sent: a reply is never
 * refused. Every ask ends exactly once.
 */
#ifndef TROUPE_ASK_H
#define TROUPE_ASK_H

#include <troupe/message.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Who asked, kept by an actor that answers later. A plain value. */
typedef struct troupe_asker {
    troupe_ref ref;
    uint64_t ask; /**< 0: nobody waits for an answer */
} troupe_asker;

/**
 * What runs in the asker when the ask ends. TROUPE_OK comes with the reply, borrowed until return; otherwise
 * `reply` is NULL and `status` says why: TROUPE_TIMEOUT, TROUPE_NO_ACTOR (it ended first, also when it had
 * kept the question to answer later), the reason of its failure when it failed over this very question,
 * TROUPE_UNEXPECTED, or what troupe_refuse was given. The returned status means what it means for receive. It
 * is not called when the asker itself ends first.
 */
typedef troupe_status (*troupe_reply_handler)(troupe_self *self, troupe_status status,
                                              const troupe_message *reply, void *context);

/** The longest time to wait for a reply, in milliseconds. */
#define TROUPE_ASK_TIMEOUT_MS_MAX 4294967295u

/** Who asked with this message. `ask` is 0 when it was a plain send; the `ref` is the sender either way. */
static inline troupe_asker troupe_asker_of(const troupe_message *message)
{
    troupe_asker asker = {message->sender, message->ask};
    return asker;
}

/** As troupe_ask, with the fields given as a struct. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_ask_fields(troupe_self *self, troupe_ref to,
                                                             uint32_t timeout_ms,
                                                             troupe_reply_handler on_reply, void *context,
                                                             const troupe_type *type, const void *fields);

/** As troupe_ask_hold, with the fields given as a struct. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_ask_hold_fields(troupe_self *self, troupe_ref to,
                                                                  uint32_t timeout_ms,
                                                                  troupe_reply_handler on_reply,
                                                                  void *context, const troupe_type *type,
                                                                  const void *fields);

/** As troupe_reply, with the fields given as a struct. */
TROUPE_API troupe_status troupe_reply_fields(troupe_self *self, troupe_asker asker, const troupe_type *type,
                                             const void *fields);

/**
 * Ends an ask without a reply: the asker's continuation gets `status` (not TROUPE_OK). A plain send is left
 * alone.
 */
TROUPE_API void troupe_refuse(troupe_self *self, troupe_asker asker, troupe_status status);

/** As troupe_call, with the fields given as a struct. */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_call_fields(troupe_system *system, troupe_ref to,
                                                              uint32_t timeout_ms, troupe_message **ret_reply,
                                                              const troupe_type *type, const void *fields);

/**
 * Frees a message that troupe_call gave, or one that was begun (build.h), and clears the pointer. NULL is
 * fine.
 */
TROUPE_API void troupe_message_free(troupe_system *system, troupe_message **message);

/**
 * Asks: troupe_ask(self, to, timeout_ms, on_reply, context, type, .field = value, ...). On TROUPE_OK,
 * on_reply will run once. Errors, after which it will not: those of troupe_send. `context` must stay valid
 * until then; the actor's state does.
 */
#define troupe_ask(self, to, timeout_ms, on_reply, context, ...)                                             \
    TROUPE__ASK((self), (to), (timeout_ms), (on_reply), (context), __VA_ARGS__, )
#define TROUPE__ASK(self, to, timeout_ms, on_reply, context, type, ...)                                      \
    troupe_ask_fields(self, to, timeout_ms, on_reply, context, &type##_type, TROUPE_FIELDS(type, __VA_ARGS__))

/**
 * Asks, and handles nothing until the ask has ended: as troupe_ask, but once the handler has returned, no
 * message, notice or other reply comes to this actor before `on_reply` has run; they wait, in their order.
 * The worker goes on with others. (Erlang's gen_server:call.) For state that must not change between the
 * question and the answer. Meanwhile the actor can be killed, and ended by a link; a shutdown waits like a
 * message.
 *
 * Actors that hold for each other in a ring would wait until their timeouts: the ask that would close the
 * ring, through whatever actors and workers it goes, is refused with TROUPE_DEADLOCK, and troupe_wait_path
 * names them. (Who hands a held question on does so with troupe_forward, which knows; an asker that is
 * copied into a message of one's own does not count as handed on.) Errors, beside those of troupe_ask:
 * TROUPE_DEADLOCK, TROUPE_INVALID (it holds already, or is ending), TROUPE_FULL also when the actor is about
 * to rest on a full mailbox.
 */
#define troupe_ask_hold(self, to, timeout_ms, on_reply, context, ...)                                        \
    TROUPE__ASK_HOLD((self), (to), (timeout_ms), (on_reply), (context), __VA_ARGS__, )
#define TROUPE__ASK_HOLD(self, to, timeout_ms, on_reply, context, type, ...)                                 \
    troupe_ask_hold_fields(self, to, timeout_ms, on_reply, context, &type##_type,                            \
                           TROUPE_FIELDS(type, __VA_ARGS__))

/**
 * The ring that the last ask of this actor met that was refused as a deadlock or has timed out: "desk ->
 * archive -> desk", registered names or behaviours' names and numbers; "" when it met none. A plain ask that
 * times out meets one when whoever it asked had itself an open ask to somebody, who had one to somebody, ...
 * who had one to this actor. Borrowed until the handler returns. It is also the text of a failure with
 * TROUPE_DEADLOCK or TROUPE_TIMEOUT that has none.
 */
TROUPE_API const char *troupe_wait_path(const troupe_self *self);

/**
 * Answers: troupe_reply(self, asker, type, .field = value, ...). When `asker.ask` is 0 it is a plain,
 * bounded send to asker.ref. Whoever asked may have ended, or never have been (a thread outside that only
 * sent): that is TROUPE_OK, so that a handler can `return troupe_reply(...)`. The second answer to one ask
 * is a dead letter. Errors: TROUPE_FULL (plain only), TROUPE_NO_MEMORY, TROUPE_TOO_LARGE.
 */
#define troupe_reply(self, asker, ...) TROUPE__REPLY((self), (asker), __VA_ARGS__, )
#define TROUPE__REPLY(self, asker, type, ...)                                                                \
    troupe_reply_fields(self, asker, &type##_type, TROUPE_FIELDS(type, __VA_ARGS__))

/**
 * Asks from a thread outside and blocks until the reply, which then belongs to the caller
 * (troupe_message_free): troupe_call(system, to, timeout_ms, &reply, type, .field = value, ...). Inside a
 * handler: TROUPE_IN_HANDLER.
 */
#define troupe_call(system, to, timeout_ms, ret_reply, ...)                                                  \
    TROUPE__CALL((system), (to), (timeout_ms), (ret_reply), __VA_ARGS__, )
#define TROUPE__CALL(system, to, timeout_ms, ret_reply, type, ...)                                           \
    troupe_call_fields(system, to, timeout_ms, ret_reply, &type##_type, TROUPE_FIELDS(type, __VA_ARGS__))

#ifdef __cplusplus
}
#endif

#endif
