package io.tidemark.consistency.command;

import io.tidemark.consistency.ConsistencyException;
import io.tidemark.consistency.QuiescerSettings;
import io.tidemark.domain.QuiescerSpec;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The programs of one application, as the local configuration names them: a group names the definition, never a
 * program.
 *
 * @param prepare writes out what it can while nobody is held, and needs no undoing; empty: none
 * @param freeze holds the application's writers; ends once they are held
 * @param thaw lets them go; does nothing when none is held, and may run twice
 * @param check ends with 0 while they are held; empty: none
 * @param thawAttempts at most, a second apart
 */
public record CommandDefinition(
        String name,
        List<String> prepare,
        List<String> freeze,
        List<String> thaw,
        List<String> check,
        Duration prepareLimit,
        Duration freezeLimit,
        Duration thawLimit,
        Duration checkLimit,
        int thawAttempts) {
    private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9-]{0,62}");
    private static final Pattern ITEM = Pattern.compile("(prepare|freeze|thaw|check)\\.(\\d{1,4})");
    private static final int WORDS_MAXIMUM = 32;

    /** Flushing what an application has in memory takes as long as its disks need. */
    private static final long PREPARE_MILLIS_DEFAULT = 60_000;
    /** Never more than half of the group's freeze limit, which is 10 s unless it says otherwise. */
    private static final long FREEZE_MILLIS_DEFAULT = 5_000;
    /** An application that does not let go within this needs another try, or a person. */
    private static final long THAW_MILLIS_DEFAULT = 30_000;

    private static final long CHECK_MILLIS_DEFAULT = 5_000;
    /** The last attempt's output is not read, so there are two at least. */
    private static final int ATTEMPTS_MINIMUM = 2;

    private static final int ATTEMPTS_DEFAULT = 3;
    private static final int ATTEMPTS_MAXIMUM = 100;
    private static final List<String> KNOWN = List.of(
            "checkTimeoutMillis", "freezeTimeoutMillis", "prepareTimeoutMillis", "thawAttempts", "thawTimeoutMillis");

    /** What a keeper needs beside its programs, on a busy host. */
    private static final Duration KEEPER_GRACE = Duration.ofSeconds(5);
    /** Between two attempts to thaw. */
    static final Duration BETWEEN_ATTEMPTS = Duration.ofSeconds(1);

    public CommandDefinition {
        prepare = List.copyOf(prepare);
        freeze = List.copyOf(freeze);
        thaw = List.copyOf(thaw);
        check = List.copyOf(check);
    }

    /** The longest that a keeper lives after its service has died: it ends the freeze, then thaws. */
    Duration keeperOutlives() {
        return freezeLimit
                .plus(thawLimit.plus(BETWEEN_ATTEMPTS).multipliedBy(thawAttempts))
                .plus(KEEPER_GRACE);
    }

    /**
     * @param written the section's settings, lists flattened: {@code freeze.0}
     * @throws ConsistencyException BadQuiescerSetting
     */
    public static CommandDefinition of(String name, Map<String, String> written) throws ConsistencyException {
        var plain = new HashMap<String, String>();
        var words = new HashMap<String, Map<Integer, String>>();
        written.forEach((path, value) -> {
            var item = ITEM.matcher(path);
            if (item.matches()) {
                words.computeIfAbsent(item.group(1), program -> new HashMap<>())
                        .put(Integer.parseInt(item.group(2)), value);
            } else {
                plain.put(path, value);
            }
        });
        var every = new ArrayList<>(KNOWN);
        every.addAll(List.of("prepare", "freeze", "thaw", "check"));
        var settings = QuiescerSettings.of(new QuiescerSpec(CommandQuiescer.KIND, plain), every);
        if (!NAME.matcher(name).matches()) {
            throw settings.bad("name", "is %s, allowed is %s".formatted(name, NAME.pattern()));
        }
        return new CommandDefinition(
                name,
                program(settings, words, "prepare", false),
                program(settings, words, "freeze", true),
                program(settings, words, "thaw", true),
                program(settings, words, "check", false),
                settings.millis("prepareTimeoutMillis", PREPARE_MILLIS_DEFAULT),
                settings.millis("freezeTimeoutMillis", FREEZE_MILLIS_DEFAULT),
                settings.millis("thawTimeoutMillis", THAW_MILLIS_DEFAULT),
                settings.millis("checkTimeoutMillis", CHECK_MILLIS_DEFAULT),
                (int) settings.number("thawAttempts", ATTEMPTS_DEFAULT, ATTEMPTS_MINIMUM, ATTEMPTS_MAXIMUM));
    }

    private static List<String> program(
            QuiescerSettings settings, Map<String, Map<Integer, String>> words, String name, boolean needed)
            throws ConsistencyException {
        if (settings.has(name)) {
            throw settings.bad(name, "is one text, expected a list: a program and its arguments");
        }
        var found = words.getOrDefault(name, Map.of());
        if (found.isEmpty()) {
            if (needed) {
                throw settings.bad(name, "is missing: a list of a program and its arguments");
            }
            return List.of();
        }
        var argv = new ArrayList<String>();
        for (int index = 0; index < found.size(); index++) {
            var word = found.get(index);
            if (word == null) {
                throw settings.bad(name, "lacks entry %d".formatted(index + 1));
            }
            argv.add(word);
        }
        if (argv.size() > WORDS_MAXIMUM) {
            throw settings.bad(name, "has %d words, at most %d allowed".formatted(argv.size(), WORDS_MAXIMUM));
        }
        if (!Path.of(argv.getFirst()).isAbsolute()) {
            throw settings.bad(name + ".0", "is not an absolute path: " + argv.getFirst());
        }
        return argv;
    }

    /** The first program that cannot be run, as a phrase; empty when all can. */
    Optional<String> unfit() {
        return Stream.of(prepare, freeze, thaw, check)
                .filter(argv -> !argv.isEmpty())
                .map(List::getFirst)
                .filter(program -> !Files.isExecutable(Path.of(program)))
                .findFirst()
                .map("program %s is not there or may not be run"::formatted);
    }
}
