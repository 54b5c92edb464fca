package io.tidemark.consistency.mongodb;

import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.bson.BsonDocument;
import org.bson.BsonNull;
import org.bson.BsonValue;

/** What the server said to one command, by the path of what is in it: {@code storageEngine.name}. */
record Answer(BsonDocument document) {
    static final Answer NOTHING = new Answer(new BsonDocument());

    private static final Pattern DOT = Pattern.compile("\\.");

    private Optional<BsonValue> at(String path) {
        BsonValue value = document;
        for (var name : DOT.split(path, -1)) {
            value = value.isDocument() ? value.asDocument().get(name, BsonNull.VALUE) : BsonNull.VALUE;
        }
        return value.isNull() ? Optional.empty() : Optional.of(value);
    }

    boolean has(String path) {
        return at(path).isPresent();
    }

    /** Empty where there is no text of that name. */
    String text(String path) {
        return at(path).filter(BsonValue::isString)
                .map(value -> value.asString().getValue())
                .orElse("");
    }

    /** Whether it is said to be true. */
    boolean yes(String path) {
        return at(path).filter(BsonValue::isBoolean)
                .filter(value -> value.asBoolean().getValue())
                .isPresent();
    }

    /** Whether it is said to be false, which is more than not being said. */
    boolean no(String path) {
        return at(path).filter(BsonValue::isBoolean)
                .filter(value -> !value.asBoolean().getValue())
                .isPresent();
    }

    /** -1 where there is no number of that name. */
    long number(String path) {
        return at(path).filter(BsonValue::isNumber)
                .map(value -> value.asNumber().longValue())
                .orElse(-1L);
    }

    Optional<OpTime> opTime(String path) {
        return at(path + ".ts")
                .filter(BsonValue::isTimestamp)
                .map(value ->
                        new OpTime(number(path + ".t"), value.asTimestamp().getValue()));
    }

    /** The value as the server would print it; empty where there is none. */
    String printed(String path) {
        return at(path).map(BsonValue::toString).orElse("");
    }

    Optional<Answer> part(String path) {
        return at(path).filter(BsonValue::isDocument).map(value -> new Answer(value.asDocument()));
    }

    /** Those of a list that have parts themselves. */
    List<Answer> parts(String path) {
        return listed(path)
                .filter(BsonValue::isDocument)
                .map(value -> new Answer(value.asDocument()))
                .toList();
    }

    List<String> texts(String path) {
        return listed(path)
                .filter(BsonValue::isString)
                .map(value -> value.asString().getValue())
                .toList();
    }

    private Stream<BsonValue> listed(String path) {
        return at(path).filter(BsonValue::isArray).stream().flatMap(value -> value.asArray().stream());
    }
}
