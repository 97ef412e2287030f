/* cppcheck: what it reads before each file (scripts/lint). It does not look
 * into the system's headers, and would take jansson's loops for functions. */
#define json_array_foreach(array, index, value)             \
    for (index = 0; index < json_array_size(array) &&       \
                    (value = json_array_get(array, index)); \
         index++)
#define json_object_foreach(object, key, value)                             \
    for (key = json_object_iter_key(json_object_iter(object));              \
         key && (value = json_object_iter_value(json_object_iter(object))); \
         key = json_object_iter_key(json_object_iter_next(object, NULL)))
