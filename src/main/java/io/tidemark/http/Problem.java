package io.tidemark.http;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tidemark.control.document.Json;
import java.time.Duration;
import java.util.Optional;

/**
 * A problem document of RFC 9457.
 *
 * @param code last part of its type, lower case with hyphens
 * @param detail one phrase that names the object
 * @param advice what to do next
 * @param input which input was wrong; empty where none was
 * @param retryAfter when asking again can help
 */
record Problem(
        int status, String code, String detail, String advice, Optional<Input> input, Optional<Duration> retryAfter) {
    static final String MEDIA_TYPE = "application/problem+json";
    private static final String TYPE_PREFIX = "https://tidemark.io/problems/";
    /** Longest part of a bad value that is shown back. */
    private static final int VALUE_CHARACTERS_MAXIMUM = 200;

    /** @param allowed what would have been right */
    record Input(String field, String value, String allowed) {}

    static Problem of(int status, String code, String detail, String advice) {
        return new Problem(status, code, detail, advice, Optional.empty(), Optional.empty());
    }

    Problem about(String field, String value, String allowed) {
        var shortened = value.length() <= VALUE_CHARACTERS_MAXIMUM
                ? value
                : value.substring(0, VALUE_CHARACTERS_MAXIMUM) + "... (" + value.length() + " characters)";
        return new Problem(status, code, detail, advice, Optional.of(new Input(field, shortened, allowed)), retryAfter);
    }

    Problem retryAfter(Duration wait) {
        return new Problem(status, code, detail, advice, input, Optional.of(wait));
    }

    ObjectNode document() {
        var document = Json.object();
        document.put("type", TYPE_PREFIX + code);
        document.put("title", title());
        document.put("status", status);
        document.put("detail", detail);
        document.put("advice", advice);
        input.ifPresent(wrong ->
                document.put("field", wrong.field()).put("value", wrong.value()).put("allowed", wrong.allowed()));
        document.put("retryable", retryAfter.isPresent());
        retryAfter.ifPresent(wait -> document.put("retryAfterMillis", wait.toMillis()));
        return document;
    }

    private String title() {
        var words = code.replace('-', ' ');
        return Character.toUpperCase(words.charAt(0)) + words.substring(1);
    }
}
