package io.tidemark.consistency;

import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What a user wrote about one quiescer, read by name. Every refusal names the kind, the setting and what is allowed;
 * a name that the kind does not know is refused before anything is read, so that a typing error is no default.
 */
public final class QuiescerSettings {
    private static final int PORT_MAXIMUM = 65_535;
    private static final long MILLIS_MINIMUM = 100;
    private static final long MILLIS_MAXIMUM = 600_000;
    private static final int TEXT_MAXIMUM = 255;

    private final QuiescerSpec spec;

    private QuiescerSettings(QuiescerSpec spec) {
        this.spec = spec;
    }

    /**
     * @param known every setting the kind has
     * @throws ConsistencyException BadQuiescerSetting, for a name that is not known
     */
    public static QuiescerSettings of(QuiescerSpec spec, Collection<String> known) throws ConsistencyException {
        var settings = new QuiescerSettings(spec);
        for (var name : new TreeSet<>(spec.settings().keySet())) {
            if (!known.contains(name)) {
                throw settings.bad(name, "is not known, known are " + String.join(", ", new TreeSet<>(known)));
            }
        }
        return settings;
    }

    public boolean has(String name) {
        return spec.settings().containsKey(name);
    }

    /** 1 to 255 printable characters. */
    public String text(String name, String otherwise) throws ConsistencyException {
        var value = spec.settings().getOrDefault(name, otherwise);
        if (value.isBlank() || value.length() > TEXT_MAXIMUM || value.chars().anyMatch(Character::isISOControl)) {
            throw bad(name, "is not 1 to %d printable characters".formatted(TEXT_MAXIMUM));
        }
        return value;
    }

    /** One of a closed list of words. */
    public String word(String name, List<String> allowed, String otherwise) throws ConsistencyException {
        var value = spec.settings().getOrDefault(name, otherwise);
        if (!allowed.contains(value)) {
            throw bad(name, "is %s, one of %s is allowed".formatted(value, String.join(", ", allowed)));
        }
        return value;
    }

    /** An absolute path; whether anything is there is not looked at. */
    public Optional<Path> path(String name) throws ConsistencyException {
        if (!has(name)) {
            return Optional.empty();
        }
        var path = Path.of(text(name, ""));
        if (!path.isAbsolute()) {
            throw bad(name, "is not an absolute path: " + path);
        }
        return Optional.of(path);
    }

    public int port(int otherwise) throws ConsistencyException {
        return (int) number("port", otherwise, 1, PORT_MAXIMUM);
    }

    /** A time limit of 100 ms to ten minutes. */
    public Duration millis(String name, long otherwise) throws ConsistencyException {
        return Duration.ofMillis(number(name, otherwise, MILLIS_MINIMUM, MILLIS_MAXIMUM));
    }

    public long number(String name, long otherwise, long minimum, long maximum) throws ConsistencyException {
        var value = spec.settings().get(name);
        if (value == null) {
            return otherwise;
        }
        try {
            long number = Long.parseLong(value);
            if (number >= minimum && number <= maximum) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw bad(name, "is not a number: " + value);
        }
        throw bad(name, "is %s, %d to %d allowed".formatted(value, minimum, maximum));
    }

    /** @throws ConsistencyException BadQuiescerSetting, where two settings name the same thing */
    public void exclude(String name, String other, String reason) throws ConsistencyException {
        if (has(name) && has(other)) {
            throw bad(name, "excludes %s: %s".formatted(other, reason));
        }
    }

    /** @param reason a phrase that goes on after the setting's name */
    public ConsistencyException bad(String name, String reason) {
        return new ConsistencyException(new ConsistencyError.BadQuiescerSetting(spec.kind(), name, reason));
    }
}
