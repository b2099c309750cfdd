/*
 * Reads a text or a number out of a flat JSON object, such as the options of this example. The host gives valid JSON, so
 * only what is asked for is looked at. A plugin with more than that takes a JSON library.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdlib.h>
#include <string.h>

/* Goes past a JSON string, from its opening quote to after its closing one. */
static const char *past_string(const char *at)
{
    for (at++; *at != '"'; at++)
        if (*at == '\\')
            at++;
    return at + 1;
}

/* The value of a member of the object itself, not of what is nested in it. NULL: there is none of this name. */
static const char *option(const char *json, const char *name)
{
    size_t length = strlen(name);
    int depth = 0;
    while (*json != '\0') {
        if (*json == '"') {
            const char *end = past_string(json);
            const char *value = end + strspn(end, " \t\r\n");
            if (depth == 1 && *value == ':' && end == json + length + 2 && memcmp(json + 1, name, length) == 0) {
                value++;
                return value + strspn(value, " \t\r\n");
            }
            json = end;
            continue;
        }
        depth += (*json == '{' || *json == '[') - (*json == '}' || *json == ']');
        json++;
    }
    return NULL;
}

/* A copy of a text, for free(). NULL: it is missing, no text, or has an escape other than \" \\ and \/. */
static char *option_text(const char *json, const char *name)
{
    const char *from = option(json, name);
    char *text, *to;
    if (from == NULL || *from != '"' || (text = to = (char *)malloc(strlen(from))) == NULL)
        return NULL;
    for (from++; *from != '"'; from++) {
        if (*from == '\\' && strchr("\"\\/", *++from) == NULL) {
            free(text);
            return NULL;
        }
        *to++ = *from;
    }
    *to = '\0';
    return text;
}

/* A number. `otherwise`: it is missing, or no number. */
static double option_number(const char *json, const char *name, double otherwise)
{
    const char *from = option(json, name);
    char *end;
    double number;
    if (from == NULL)
        return otherwise;
    number = strtod(from, &end);
    return end == from ? otherwise : number;
}

#endif
