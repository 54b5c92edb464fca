package io.tidemark.provider.fakecloud.aws;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** An answer of EC2 as it is written. Elements without a value are left out, as EC2 does. */
final class Xml {
    private final StringBuilder text = new StringBuilder(512);

    Xml open(String name) {
        text.append('<').append(name).append('>');
        return this;
    }

    Xml close(String name) {
        text.append("</").append(name).append('>');
        return this;
    }

    Xml value(String name, @Nullable Object value) {
        if (value != null) {
            open(name);
            escape(value.toString());
            close(name);
        }
        return this;
    }

    /** Elements that were written elsewhere. */
    Xml raw(Xml other) {
        text.append(other.text);
        return this;
    }

    Xml time(String name, @Nullable Instant instant) {
        return value(name, instant == null ? null : instant.truncatedTo(ChronoUnit.MILLIS));
    }

    Xml tags(Map<String, String> tags) {
        if (!tags.isEmpty()) {
            open("tagSet");
            tags.forEach((key, value) ->
                    open("item").value("key", key).value("value", value).close("item"));
            close("tagSet");
        }
        return this;
    }

    private void escape(String value) {
        for (int index = 0; index < value.length(); index++) {
            char letter = value.charAt(index);
            switch (letter) {
                case '<' -> text.append("&lt;");
                case '>' -> text.append("&gt;");
                case '&' -> text.append("&amp;");
                case '\r' -> text.append("&#13;");
                default -> text.append(letter);
            }
        }
    }

    @Override
    public String toString() {
        return text.toString();
    }
}
