/* SPDX-License-Identifier: MIT */
/*
 * message.h: declaring, sending and reading typed messages.
 *
 * A message is flat: a header and a body of fixed members followed by the bytes of its texts, which the
 * members name by offset. There are no pointers in it, so the same bytes can cross to another process or
 * into a journal.
 *
 * A field list declares a type once, and everything about it follows from the list:
 *
 *     #define GREET(F) F(text, name) F(u32, times)
 *     TROUPE_MESSAGE(greet, GREET)
 *
 * gives
 *     greet          the body as it is stored: { troupe_span name; uint32_t times; }
 *     greet_fields   what a sender fills in:   { ...; const char *name; uint32_t times; }
 *     greet_type     the description: name, id, version, fields
 *     greet_of(m)    the body of a message of this type and version, or NULL
 *
 * Kinds of field: u8 u16 u32 u64 i8 i16 i32 i64 f32 f64 bool ref text bytes blob. A third argument to F makes
 * a fixed array of any kind but the last three: F(u32, samples, 4). A type without fields is declared with
 * TROUPE_MESSAGE_EMPTY(tick). A blob is bytes that ride by reference, for large payloads: blob.h.
 *
 * Sending, and reading in the handler:
 *
 *     troupe_send(self, to, greet, .name = "world", .times = 1);
 *
 *     const greet *m = greet_of(message);
 *     puts(troupe_text(message, m->name));
 *
 * In C++, from C++17 on, the fields are given in the order of the list; some may be left out.
 *
 * Order: what one actor or thread sends to one actor arrives in that order, within a class.
 */
#ifndef TROUPE_MESSAGE_H
#define TROUPE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <troupe/blob.h>
#include <troupe/ref.h>
#include <troupe/status.h>
#include <troupe/system.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest body of a message, in bytes. */
#define TROUPE_BODY_SIZE_MAX (16u * 1024u * 1024u)

/** The longest deadline, in milliseconds: 24 days. */
#define TROUPE_DEADLINE_MS_MAX 2073600000u

/**
 * How soon a message is taken. SYSTEM is for the runtime's own notices; it cannot be sent, and is never
 * refused or dropped.
 */
typedef enum troupe_class {
    TROUPE_CLASS_NORMAL = 0,
    TROUPE_CLASS_URGENT = 1,
    TROUPE_CLASS_SYSTEM = 2,
} troupe_class;

/**
 * Where the bytes of a text or bytes field are: an offset from the start of the body. A text is followed by
 * a NUL not counted here.
 */
typedef struct troupe_span {
    uint32_t offset;
    uint32_t size;
} troupe_span;

/** Where a blob field's bytes are, see troupe_blob_of and, in a flat body, troupe_flat_blob. */
typedef struct troupe_blob_span {
    uint32_t offset;
    uint32_t size;
} troupe_blob_span;

/** A message as a handler receives it: borrowed until the handler returns, never to be changed. */
typedef struct troupe_message {
    struct troupe_message *next; /**< private to the runtime */
    troupe_ref sender;           /**< who sent it; none when a thread outside did */
    uint64_t ask;                /**< private: see troupe_asker_of */
    uint32_t type;               /**< id of its type */
    uint32_t size;               /**< bytes of the body */
    uint32_t generation;         /**< private: of the actor it is for */
    uint32_t sent_ms;            /**< when it was sent: milliseconds of the system's clock, modulo 2^32 */
    uint32_t deadline_ms;        /**< private: 0 or when it expires, on the same clock */
    uint16_t version;            /**< version of its type */
    uint8_t message_class;       /**< a troupe_class */
    uint8_t flags;               /**< private */
} troupe_message;

/**
 * What can be said with any message, beside its fields: `.envelope.message_class`, `.envelope.deadline_ms`.
 */
typedef struct troupe_envelope {
    uint32_t message_class; /**< TROUPE_CLASS_NORMAL or TROUPE_CLASS_URGENT */
    uint32_t
        deadline_ms; /**< 0: none. Not handled within this time, it becomes a dead letter: TROUPE_EXPIRED */
} troupe_envelope;

/** The kinds of field. */
typedef enum troupe_field_kind {
    TROUPE_FIELD_u8,
    TROUPE_FIELD_u16,
    TROUPE_FIELD_u32,
    TROUPE_FIELD_u64,
    TROUPE_FIELD_i8,
    TROUPE_FIELD_i16,
    TROUPE_FIELD_i32,
    TROUPE_FIELD_i64,
    TROUPE_FIELD_f32,
    TROUPE_FIELD_f64,
    TROUPE_FIELD_bool,
    TROUPE_FIELD_ref,
    TROUPE_FIELD_text,
    TROUPE_FIELD_bytes,
    TROUPE_FIELD_blob,
} troupe_field_kind;

/** One field of a type. */
typedef struct troupe_field {
    const char *name;
    uint8_t kind;       /**< a troupe_field_kind */
    uint32_t count;     /**< 1, or the length of a fixed array */
    uint32_t offset;    /**< in the body */
    uint32_t argument;  /**< offset in the fields struct */
    uint32_t run_size;  /**< private: bytes of the run that begins here, see troupe__join */
    uint16_t run_count; /**< private: how many fields that run has; 0 in a type made by hand */
    bool run_has_bools; /**< private */
} troupe_field;

/** A message type. */
typedef struct troupe_type {
    const char *name;
    uint32_t id; /**< troupe_type_id(name): the same in every process */
    uint16_t version;
    bool is_fixed; /**< no text, bytes or blob: the body is the struct and nothing else */
    uint32_t size; /**< of the fixed members */
    uint32_t field_count;
    uint32_t blob_count; /**< how many of the fields are blobs */
    const troupe_field *fields;
} troupe_type;

/** The id of a type: FNV-1a, 32 bits, of its name. */
static inline uint32_t troupe_type_id(const char *name)
{
    uint32_t hash = 2166136261u;
    for (; *name != '\0'; name++)
        hash = (hash ^ TROUPE__CAST(uint8_t, *name)) * 16777619u;
    return hash;
}

/*
 * Fixed fields that lie side by side, in the body and in the fields struct alike, are a run, which a sender
 * copies as one; so are texts, which it then writes in one go. Each field knows the run from itself on.
 */
static inline void troupe__join(troupe_field *fields, uint32_t count)
{
    for (uint32_t i = count; i > 1; i--) {
        troupe_field *field = &fields[i - 2];
        const troupe_field *next = &fields[i - 1];
        bool is_alike = field->kind < TROUPE_FIELD_text
                            ? next->kind < TROUPE_FIELD_text
                            : field->kind == TROUPE_FIELD_text && next->kind == TROUPE_FIELD_text;
        if (!is_alike || field->offset + field->run_size != next->offset ||
            field->argument + field->run_size != next->argument)
            continue;
        field->run_size += next->run_size;
        field->run_count = TROUPE__CAST(uint16_t, field->run_count + next->run_count);
        field->run_has_bools = field->run_has_bools || next->run_has_bools;
    }
}

/** How many types' names a process keeps; what is declared beyond has none for troupe_type_name. */
#define TROUPE_TYPE_NAMES_MAX 4096

/**
 * Keeps a type's name, copied, for troupe_type_name. TROUPE_MESSAGE sees to it when the program is loaded; a
 * program calls it only for a type that it made by hand. Any thread.
 */
TROUPE_API void troupe_type_announce(const troupe_type *type);

/**
 * The name of the type with this id, of those that some part of this program declares; NULL when none does.
 * Lives as long as the process. For people: a receiver asks greet_of. Any thread.
 */
TROUPE_API const char *troupe_type_name(uint32_t id);

/** The bytes of a message's body. */
static inline const void *troupe_body(const troupe_message *message)
{
    return message + 1;
}

/** The text that a span of a body names: NUL-terminated, borrowed from the body. */
static inline const char *troupe_flat_text(const void *body, troupe_span span)
{
    return TROUPE__CAST(const char *, body) + span.offset;
}

/** The bytes that a span of a body names, borrowed from the body. */
static inline troupe_bytes troupe_flat_bytes(const void *body, troupe_span span)
{
    troupe_bytes bytes = {TROUPE__CAST(const char *, body) + span.offset, span.size};
    return bytes;
}

/** The bytes of a blob field of a flat body, borrowed from the body. For a message's: troupe_blob_of. */
static inline troupe_bytes troupe_flat_blob(const void *body, troupe_blob_span span)
{
    troupe_bytes bytes = {TROUPE__CAST(const char *, body) + span.offset, span.size};
    return bytes;
}

/** The text that a span of this message names: NUL-terminated, borrowed like the message. */
static inline const char *troupe_text(const troupe_message *message, troupe_span span)
{
    return troupe_flat_text(troupe_body(message), span);
}

/** The bytes that a span of this message names, borrowed like the message. */
static inline troupe_bytes troupe_bytes_of(const troupe_message *message, troupe_span span)
{
    return troupe_flat_bytes(troupe_body(message), span);
}

/**
 * The blob in a field of a received message, borrowed like the message, to keep with troupe_blob_ref or to
 * send on; NULL when the sender gave none.
 */
TROUPE_API troupe_blob *troupe_blob_of(const troupe_message *message, troupe_blob_span span);

/**
 * The bytes in a blob field of a received message, borrowed like the message; none when the sender gave none.
 */
static inline troupe_bytes troupe_blob_bytes_of(const troupe_message *message, troupe_blob_span span)
{
    return troupe_blob_bytes(troupe_blob_of(message, span));
}

/**
 * How many bytes the flat body takes that these fields make, those of blobs in it; SIZE_MAX when over
 * TROUPE_BODY_SIZE_MAX. NULL texts count as "", NULL blobs as none.
 */
TROUPE_API size_t troupe_flat_size(const troupe_type *type, const void *fields);

/**
 * Writes the body of `size` = troupe_flat_size bytes, all of them, 8-byte aligned. For journals and other
 * media; sends do it themselves.
 */
TROUPE_API void troupe_flat_write(const troupe_type *type, const void *fields, void *body, size_t size);

/**
 * Whether bytes from elsewhere are a body of this type: the size, every span within it and not in the fixed
 * members, texts ended by their NUL and without another, bools 0 or 1. Errors: TROUPE_MALFORMED. `body`
 * must be 8-byte aligned.
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_flat_check(const troupe_type *type, const void *body,
                                                             size_t size);

/**
 * How many bytes a received message takes as a flat body, for media where nothing can ride by reference: its
 * texts and bytes, and what its blobs hold; SIZE_MAX when over TROUPE_BODY_SIZE_MAX, or not of this type. Any
 * thread that may read the message.
 */
TROUPE_API size_t troupe_message_flat_size(const troupe_type *type, const troupe_message *message);

/**
 * Writes a received message as the flat body of `size` = troupe_message_flat_size bytes, 8-byte aligned, that
 * troupe_flat_write makes of the same fields. For a message without blobs that is its body as it is. Errors:
 * TROUPE_MALFORMED (it is not of this type), TROUPE_INVALID (another size).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_message_flatten(const troupe_type *type,
                                                                  const troupe_message *message, void *body,
                                                                  size_t size);

/** As troupe_send, with the fields given as a struct. */
TROUPE_API troupe_status troupe_send_fields(troupe_context *from, troupe_ref to, const troupe_type *type,
                                            const void *fields);

/**
 * As troupe_send, with a body that is flat already: what was stored, or came from elsewhere. It is checked;
 * one that does not pass is counted as refused. `body` is 8-byte aligned; the bytes of its blobs are copied
 * once, into new ones. Errors: as troupe_send, and TROUPE_MALFORMED (troupe_flat_check refuses it).
 */
TROUPE_API troupe_status troupe_send_flat(troupe_context *from, troupe_ref to, const troupe_type *type,
                                          const void *body, size_t size);

/**
 * The type with this id and version among `count` types, or NULL. For what came from a journal, a file or
 * another process: the program lists the types it knows, in any order, and there is no registry to keep.
 */
static inline const troupe_type *troupe_type_find(const troupe_type *const *types, size_t count, uint32_t id,
                                                  uint16_t version)
{
    for (size_t i = 0; i < count; i++)
        if (types[i]->id == id && types[i]->version == version)
            return types[i];
    return NULL;
}

/**
 * As troupe_send_flat, for what arrives from another process with the id and the version that it says it has:
 * the type is looked for among the `type_count` that this program knows. Errors: as troupe_send_flat, and
 * TROUPE_UNEXPECTED (none of these types in this version; counted as refused).
 */
TROUPE_API TROUPE_MUST_CHECK troupe_status troupe_send_arrived(troupe_context *from, troupe_ref to,
                                                               const troupe_type *const *types,
                                                               size_t type_count, uint32_t id,
                                                               uint16_t version, const void *body,
                                                               size_t size);

/**
 * Passes a message on: a copy, its blobs shared, with its original sender, ask, class and deadline, so that
 * the answer goes to whoever asked. Errors: as troupe_send, and TROUPE_DEADLOCK: whoever asked holds for the
 * answer (troupe_ask_hold), and `to` waits for it; troupe_wait_path names the ring, and the question is still
 * this actor's to answer.
 */
TROUPE_API troupe_status troupe_forward(troupe_self *self, troupe_ref to, const troupe_message *message);

/**
 * Sends: troupe_send(from, to, type, .field = value, ...). `from` is a self or a system. Never blocks; any
 * thread. When the mailbox is at its bound, its policy decides (troupe_overflow). With TROUPE_OVERFLOW_PARK
 * the message is taken and the sending actor rests when its handler returns, until the mailbox is half
 * empty; a second full mailbox in the same turn, a ring of actors resting on each other, or a thread
 * outside: TROUPE_FULL. Errors: TROUPE_FULL (the mailbox is at its bound: the message was not taken),
 * TROUPE_NO_ACTOR, TROUPE_NO_MEMORY, TROUPE_TOO_LARGE, TROUPE_INVALID (class or deadline out of range).
 */
#define troupe_send(from, to, ...) TROUPE__SEND((from), (to), __VA_ARGS__, )
#define TROUPE__SEND(from, to, type, ...)                                                                    \
    troupe_send_fields(TROUPE_CONTEXT(from), to, &type##_type, TROUPE_FIELDS(type, __VA_ARGS__))

/**
 * The fields of one message: TROUPE_FIELDS(greet, .name = "world") is a pointer to a struct that lives as
 * long as its block.
 */
#ifdef __cplusplus
/* Designated initializers are C++20's; `__extension__` lets C++17 have them without a warning. */
#define TROUPE_FIELDS(type, ...) troupe__address(__extension__ type##_fields{.troupe__begin = 0, __VA_ARGS__})
#define TROUPE__ZERO = {}
#define TROUPE__SIZE(type, member) sizeof(type::member)
#else
#define TROUPE__ZERO
#define TROUPE__SIZE(type, member) sizeof(((type *)NULL)->member)
#define TROUPE_FIELDS(type, ...) (&(type##_fields){.troupe__begin = 0, __VA_ARGS__})
#endif

/* How a field list unfolds. F(kind, name) is a member, F(kind, name, count) an array. */
#define TROUPE__PICK(kind, name, count, chosen, ...) chosen
#define TROUPE__MEMBER(...) TROUPE__PICK(__VA_ARGS__, TROUPE__MEMBER_ARRAY, TROUPE__MEMBER_ONE, )(__VA_ARGS__)
#define TROUPE__MEMBER_ONE(kind, name) TROUPE__FLAT_##kind name;
#define TROUPE__MEMBER_ARRAY(kind, name, count) TROUPE__FLAT_##kind name[count];
#define TROUPE__ARGUMENT(...)                                                                                \
    TROUPE__PICK(__VA_ARGS__, TROUPE__ARGUMENT_ARRAY, TROUPE__ARGUMENT_ONE, )(__VA_ARGS__)
#define TROUPE__ARGUMENT_ONE(kind, name) TROUPE__GIVEN_##kind name TROUPE__ZERO;
#define TROUPE__ARGUMENT_ARRAY(kind, name, count) TROUPE__GIVEN_##kind name[count] TROUPE__ZERO;
#define TROUPE__DESCRIBE(...)                                                                                \
    TROUPE__PICK(__VA_ARGS__, TROUPE__DESCRIBE_ARRAY, TROUPE__DESCRIBE_ONE, )(__VA_ARGS__)
#define TROUPE__DESCRIBE_ONE(kind, name) TROUPE__DESCRIBE_ARRAY(kind, name, 1)
#define TROUPE__DESCRIBE_ARRAY(kind, name, count)                                                            \
    {#name,                                                                                                  \
     TROUPE__KIND_##kind,                                                                                    \
     count,                                                                                                  \
     offsetof(troupe__body, name),                                                                           \
     offsetof(troupe__given, name),                                                                          \
     TROUPE__SIZE(troupe__body, name),                                                                       \
     1,                                                                                                      \
     TROUPE__KIND_##kind == TROUPE_FIELD_bool},
#define TROUPE__VARIES(...) TROUPE__PICK(__VA_ARGS__, TROUPE__VARIES_ARRAY, TROUPE__VARIES_ONE, )(__VA_ARGS__)
#define TROUPE__VARIES_ONE(kind, name) +(TROUPE__KIND_##kind >= TROUPE_FIELD_text)
#define TROUPE__VARIES_ARRAY(kind, name, count) +0
#define TROUPE__BLOBS(...) TROUPE__PICK(__VA_ARGS__, TROUPE__BLOBS_ARRAY, TROUPE__BLOBS_ONE, )(__VA_ARGS__)
#define TROUPE__BLOBS_ONE(kind, name) +(TROUPE__KIND_##kind == TROUPE_FIELD_blob)
#define TROUPE__BLOBS_ARRAY(kind, name, count) +0

/*
 * The C type of each kind: in a body, and as given by a sender. `_Bool` is what the word bool has become by
 * then.
 */
#define TROUPE__FLAT_u8 uint8_t
#define TROUPE__FLAT_u16 uint16_t
#define TROUPE__FLAT_u32 uint32_t
#define TROUPE__FLAT_u64 uint64_t
#define TROUPE__FLAT_i8 int8_t
#define TROUPE__FLAT_i16 int16_t
#define TROUPE__FLAT_i32 int32_t
#define TROUPE__FLAT_i64 int64_t
#define TROUPE__FLAT_f32 float
#define TROUPE__FLAT_f64 double
#define TROUPE__FLAT_bool bool
#define TROUPE__FLAT__Bool bool
#define TROUPE__FLAT_ref troupe_ref
#define TROUPE__FLAT_text troupe_span
#define TROUPE__FLAT_bytes troupe_span
#define TROUPE__FLAT_blob troupe_blob_span
#define TROUPE__GIVEN_u8 uint8_t
#define TROUPE__GIVEN_u16 uint16_t
#define TROUPE__GIVEN_u32 uint32_t
#define TROUPE__GIVEN_u64 uint64_t
#define TROUPE__GIVEN_i8 int8_t
#define TROUPE__GIVEN_i16 int16_t
#define TROUPE__GIVEN_i32 int32_t
#define TROUPE__GIVEN_i64 int64_t
#define TROUPE__GIVEN_f32 float
#define TROUPE__GIVEN_f64 double
#define TROUPE__GIVEN_bool bool
#define TROUPE__GIVEN__Bool bool
#define TROUPE__GIVEN_ref troupe_ref
#define TROUPE__GIVEN_text const char *
#define TROUPE__GIVEN_bytes troupe_bytes
#define TROUPE__GIVEN_blob troupe_blob *
#define TROUPE__KIND_u8 TROUPE_FIELD_u8
#define TROUPE__KIND_u16 TROUPE_FIELD_u16
#define TROUPE__KIND_u32 TROUPE_FIELD_u32
#define TROUPE__KIND_u64 TROUPE_FIELD_u64
#define TROUPE__KIND_i8 TROUPE_FIELD_i8
#define TROUPE__KIND_i16 TROUPE_FIELD_i16
#define TROUPE__KIND_i32 TROUPE_FIELD_i32
#define TROUPE__KIND_i64 TROUPE_FIELD_i64
#define TROUPE__KIND_f32 TROUPE_FIELD_f32
#define TROUPE__KIND_f64 TROUPE_FIELD_f64
#define TROUPE__KIND_bool TROUPE_FIELD_bool
#define TROUPE__KIND__Bool TROUPE_FIELD_bool
#define TROUPE__KIND_ref TROUPE_FIELD_ref
#define TROUPE__KIND_text TROUPE_FIELD_text
#define TROUPE__KIND_bytes TROUPE_FIELD_bytes
#define TROUPE__KIND_blob TROUPE_FIELD_blob

/**
 * Declares a message type, version 1, from its field list. At file scope, without a semicolon; it may stand
 * in many files.
 */
#define TROUPE_MESSAGE(NAME, LIST) TROUPE_MESSAGE_VERSION(NAME, 1, LIST)

/**
 * Declares a later version of a message type. A receiver takes the version it was compiled with and refuses
 * others.
 */
#define TROUPE_MESSAGE_VERSION(NAME, NUMBER, LIST)                                                           \
    typedef struct NAME {                                                                                    \
        LIST(TROUPE__MEMBER)                                                                                 \
    } NAME;                                                                                                  \
    typedef struct NAME##_fields {                                                                           \
        uint64_t troupe__begin;                                                                              \
        troupe_envelope envelope TROUPE__ZERO;                                                               \
        LIST(TROUPE__ARGUMENT)                                                                               \
    } NAME##_fields;                                                                                         \
    static inline const troupe_field *NAME##__describe(void)                                                 \
    {                                                                                                        \
        typedef NAME troupe__body;                                                                           \
        typedef NAME##_fields troupe__given;                                                                 \
        static troupe_field list[] = {LIST(TROUPE__DESCRIBE)};                                               \
        troupe__join(list, (0 LIST(TROUPE__COUNT)));                                                         \
        return list;                                                                                         \
    }                                                                                                        \
    TROUPE__TYPE(NAME, NUMBER, (0 LIST(TROUPE__VARIES)) == 0, sizeof(NAME), (0 LIST(TROUPE__COUNT)),         \
                 (0 LIST(TROUPE__BLOBS)), NAME##__describe())

/** Declares a message type without fields. */
#define TROUPE_MESSAGE_EMPTY(NAME)                                                                           \
    typedef struct NAME {                                                                                    \
        char nothing;                                                                                        \
    } NAME;                                                                                                  \
    typedef struct NAME##_fields {                                                                           \
        uint64_t troupe__begin;                                                                              \
        troupe_envelope envelope TROUPE__ZERO;                                                               \
    } NAME##_fields;                                                                                         \
    TROUPE__TYPE(NAME, 1, true, 0, 0, 0, NULL)

#define TROUPE__COUNT(...) +1
#define TROUPE__TYPE(NAME, NUMBER, IS_FIXED, SIZE, FIELD_COUNT, BLOB_COUNT, FIELDS)                          \
    static troupe_type NAME##_type                                                                           \
        __attribute__((unused)) = {#NAME, 0, NUMBER, IS_FIXED, SIZE, FIELD_COUNT, BLOB_COUNT, NULL};         \
    __attribute__((constructor)) static void NAME##__identify(void)                                          \
    {                                                                                                        \
        NAME##_type.id = troupe_type_id(#NAME);                                                              \
        NAME##_type.fields = FIELDS;                                                                         \
        troupe_type_announce(&NAME##_type);                                                                  \
    }                                                                                                        \
    __attribute__((unused)) static inline const NAME *NAME##_of(const troupe_message *message)               \
    {                                                                                                        \
        return message->type == NAME##_type.id && message->version == (NUMBER)                               \
                   ? TROUPE__CAST(const NAME *, troupe_body(message))                                        \
                   : NULL;                                                                                   \
    }

#ifdef __cplusplus
}
template <class Fields> static inline const void *troupe__address(const Fields &fields)
{
    return &fields;
}
#endif

#endif
