package io.tidemark.control;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Optional;
import java.util.OptionalLong;

/** Where a page begins, as clients see it: opaque, bound to the list that gave it. */
public final class Cursor {
    private static final String ALLOWED = "the nextCursor of a page of this list";

    private Cursor() {}

    /** @param list name of the list, so that a cursor of one is refused by another */
    public static String encode(String list, String position) {
        return Base64.getUrlEncoder()
                .withoutPadding()
                .encodeToString((list + "|" + position).getBytes(StandardCharsets.UTF_8));
    }

    public static Optional<String> decode(String list, Optional<String> cursor) throws ControlException {
        if (cursor.isEmpty()) {
            return Optional.empty();
        }
        String text;
        try {
            text = new String(Base64.getUrlDecoder().decode(cursor.orElseThrow()), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException notBase64) {
            throw invalid(cursor.orElseThrow());
        }
        if (!text.startsWith(list + "|")) {
            throw invalid(cursor.orElseThrow());
        }
        return Optional.of(text.substring(list.length() + 1));
    }

    /** For lists whose positions are numbers. */
    public static OptionalLong decodeNumber(String list, Optional<String> cursor) throws ControlException {
        var position = decode(list, cursor);
        if (position.isEmpty()) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(position.orElseThrow()));
        } catch (NumberFormatException notANumber) {
            throw invalid(cursor.orElseThrow());
        }
    }

    private static ControlException invalid(String cursor) {
        return new ControlException(
                new ControlError.Invalid("cursor", cursor, "is not a cursor of this list", ALLOWED));
    }
}
