package io.tidemark.consistency.mysqlprotocol;

import io.tidemark.consistency.ConsistencyError;
import io.tidemark.consistency.ConsistencyException;
import java.util.regex.Pattern;

/** What goes wrong with one server, in words that name it. */
public record ServerFailures(String kind, String subject) {
    /** What the driver puts before the server's own words. */
    private static final Pattern CONNECTION = Pattern.compile("^\\(conn=-?\\d+\\) ");

    public ConsistencyException of(String reason) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(kind, subject, reason));
    }

    public ConsistencyException of(Exception cause) {
        return of(reason(cause), cause);
    }

    public ConsistencyException of(String reason, Exception cause) {
        return new ConsistencyException(new ConsistencyError.FreezeFailed(kind, subject, reason), cause);
    }

    /** The first line, without the driver's own; it never holds the password. */
    public static String reason(Exception e) {
        var first = String.valueOf(e.getMessage()).lines().findFirst().orElse("no answer");
        return CONNECTION.matcher(first).replaceFirst("");
    }
}
